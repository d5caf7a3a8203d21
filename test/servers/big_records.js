// big_records.js SHARDS RECORDS BYTES
//   A stand-in for a stream, "big", with RECORDS records of BYTES bytes in each
//   of its shards, which the npm servers are too slow for. It keeps one record
//   and answers as Kinesis does: up to 10 MiB of payload at once.
//
// Prints one line of JSON, {"url":...}, once it listens.
const http = require('http')

const [count, perShard, bytes] = process.argv.slice(2).map(Number)
const mostBytes = 10 * 1024 * 1024
const created = Date.now() / 1000
const shardId = number => `shardId-${String(number).padStart(12, '0')}`
const filler = 'x'.repeat(bytes - '{"id":0000000000,"text":""}'.length)

const shards = Array.from({ length: count }, (_, i) => ({
  ShardId: shardId(i),
  HashKeyRange: { StartingHashKey: String(i), EndingHashKey: String(i) },
  SequenceNumberRange: { StartingSequenceNumber: '1' }
}))

// base64 goes by threes: what differs is in front, what is alike behind
const head = number => `{"id":${1e9 + number},"text":"`
const alike = Buffer.from(filler.slice((3 - head(0).length % 3) % 3) + '"}').toString('base64')
const data = number =>
  Buffer.from(head(number) + filler.slice(0, (3 - head(0).length % 3) % 3)).toString('base64') + alike

const operations = {
  DescribeStreamSummary: asked => JSON.stringify({
    StreamDescriptionSummary: {
      StreamName: asked.StreamName,
      StreamStatus: 'ACTIVE',
      RetentionPeriodHours: 24,
      StreamCreationTimestamp: created,
      OpenShardCount: count
    }
  }),
  ListShards: () => JSON.stringify({ Shards: shards }),
  GetShardIterator: asked => {
    const from = asked.ShardIteratorType === 'AFTER_SEQUENCE_NUMBER'
      ? Number(asked.StartingSequenceNumber)
      : 0
    return JSON.stringify({ ShardIterator: `${Number(asked.ShardId.slice(-12))}:${from}` })
  },
  GetRecords: asked => {
    const [shard, from] = asked.ShardIterator.split(':').map(Number)
    const most = Math.max(1, Math.min(Math.floor(mostBytes / bytes), asked.Limit || 10000))
    const to = Math.min(perShard, from + most)
    const records = []
    for (let i = from; i < to; i++) {
      records.push(`{"SequenceNumber":"${i + 1}","PartitionKey":"k",` +
        `"ApproximateArrivalTimestamp":${created},"Data":"${data(shard * perShard + i)}"}`)
    }
    return `{"NextShardIterator":"${shard}:${to}","MillisBehindLatest":${to < perShard ? 1000 : 0},` +
      `"Records":[${records.join(',')}]}`
  }
}

const server = http.createServer((request, response) => {
  const chunks = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', () => {
    const operation = request.headers['x-amz-target'].split('.').pop()
    response.setHeader('Content-Type', 'application/x-amz-json-1.1')
    response.end(operations[operation](JSON.parse(Buffer.concat(chunks))))
  })
})
server.keepAliveTimeout = 60000
server.listen(0, '127.0.0.1', () =>
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })))
