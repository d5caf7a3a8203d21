// standin.js
//   What stand-ins for a stream share: they know what a reader asks, and are
//   faster than the npm servers, which are too slow for much of anything.
const http = require('http')

const created = Date.now() / 1000

const shardId = number => `shardId-${String(number).padStart(12, '0')}`

exports.shardNumber = id => Number(id.slice(-12))

exports.shards = count => Array.from({ length: count }, (_, i) => ({
  ShardId: shardId(i),
  HashKeyRange: { StartingHashKey: String(i), EndingHashKey: String(i) },
  SequenceNumberRange: { StartingSequenceNumber: '1' }
}))

exports.summary = count => asked => ({
  StreamDescriptionSummary: {
    StreamName: asked.StreamName,
    StreamStatus: 'ACTIVE',
    RetentionPeriodHours: 24,
    StreamCreationTimestamp: created,
    OpenShardCount: count
  }
})

// Answers with what operations, by name, make of the request: an object, or
// text that is JSON. Prints one line of JSON, {"url":...}, once it listens.
exports.serve = operations => {
  const server = http.createServer((request, response) => {
    const chunks = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      const operation = request.headers['x-amz-target'].split('.').pop()
      const answer = operations[operation](JSON.parse(Buffer.concat(chunks)))
      response.setHeader('Content-Type', 'application/x-amz-json-1.1')
      response.end(typeof answer === 'string' ? answer : JSON.stringify(answer))
    })
  })
  server.keepAliveTimeout = 60000
  server.listen(0, '127.0.0.1', () =>
    console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })))
}
