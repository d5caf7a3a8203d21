// many_shards.js COUNT
//   A stand-in for a stream of very many shards, which the npm servers are too
//   slow for: it knows what a reader asks, and PutRecord with the number of a
//   shard as partition key.
//
// Prints one line of JSON, {"url":...}, once it listens.
const http = require('http')

const count = Number(process.argv[2])
const page = 1000
const created = Date.now() / 1000
const shards = Array.from({ length: count }, (_, i) => ({
  ShardId: `shardId-${String(i).padStart(12, '0')}`,
  HashKeyRange: { StartingHashKey: String(i), EndingHashKey: String(i) },
  SequenceNumberRange: { StartingSequenceNumber: '1' }
}))
const records = new Map()

const operations = {
  DescribeStreamSummary: asked => ({
    StreamDescriptionSummary: {
      StreamName: asked.StreamName,
      StreamStatus: 'ACTIVE',
      RetentionPeriodHours: 24,
      StreamCreationTimestamp: created,
      OpenShardCount: count
    }
  }),
  ListShards: asked => {
    const from = Number(asked.NextToken || 0)
    const answer = { Shards: shards.slice(from, from + page) }
    if (from + page < count) answer.NextToken = String(from + page)
    return answer
  },
  GetShardIterator: asked => {
    const number = Number(asked.ShardId.slice(-12))
    const from = {
      TRIM_HORIZON: 0,
      LATEST: (records.get(number) || []).length,
      AFTER_SEQUENCE_NUMBER: Number(asked.StartingSequenceNumber)
    }
    return { ShardIterator: `${number}:${from[asked.ShardIteratorType]}` }
  },
  GetRecords: asked => {
    const [number, from] = asked.ShardIterator.split(':').map(Number)
    const kept = records.get(number) || []
    return {
      Records: kept.slice(from),
      NextShardIterator: `${number}:${kept.length}`,
      MillisBehindLatest: 0
    }
  },
  PutRecord: asked => {
    const number = Number(asked.PartitionKey)
    if (!records.has(number)) records.set(number, [])
    const kept = records.get(number)
    kept.push({
      SequenceNumber: String(kept.length + 1),
      PartitionKey: asked.PartitionKey,
      Data: asked.Data,
      ApproximateArrivalTimestamp: Date.now() / 1000
    })
    return { ShardId: shards[number].ShardId, SequenceNumber: String(kept.length) }
  }
}

const server = http.createServer((request, response) => {
  const chunks = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', () => {
    const operation = request.headers['x-amz-target'].split('.').pop()
    const answer = operations[operation](JSON.parse(Buffer.concat(chunks)))
    response.setHeader('Content-Type', 'application/x-amz-json-1.1')
    response.end(JSON.stringify(answer))
  })
})
server.keepAliveTimeout = 60000
server.listen(0, '127.0.0.1', () =>
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })))
