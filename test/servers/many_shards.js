// many_shards.js COUNT
//   A stream "many" of very many shards. PutRecord takes the number of a shard
//   as partition key.
const standin = require('./standin')

const count = Number(process.argv[2])
const page = 1000
const shards = standin.shards(count)
const records = new Map()

standin.serve({
  DescribeStreamSummary: standin.summary(count),
  ListShards: asked => {
    const from = Number(asked.NextToken || 0)
    const answer = { Shards: shards.slice(from, from + page) }
    if (from + page < count) answer.NextToken = String(from + page)
    return answer
  },
  GetShardIterator: asked => {
    const number = standin.shardNumber(asked.ShardId)
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
})
