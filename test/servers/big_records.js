// big_records.js SHARDS RECORDS BYTES
//   A stream "big" with RECORDS records of BYTES bytes in each of its shards.
//   It keeps one record and answers as Kinesis does: up to 10 MiB of payload.
const standin = require('./standin')

const [count, perShard, bytes] = process.argv.slice(2).map(Number)
const mostBytes = 10 * 1024 * 1024
const arrived = Date.now() / 1000

// base64 goes by threes: what differs is in front, what is alike behind
const head = id => `{"id":${1e9 + id},"text":"`
const filled = head(0) + 'x'.repeat((3 - head(0).length % 3) % 3)
const alike = Buffer.from('x'.repeat(bytes - filled.length - 2) + '"}').toString('base64')
const data = id => Buffer.from(head(id) + filled.slice(head(id).length)).toString('base64') + alike

standin.serve({
  DescribeStreamSummary: standin.summary(count),
  ListShards: () => ({ Shards: standin.shards(count) }),
  GetShardIterator: asked => {
    const from = { AFTER_SEQUENCE_NUMBER: asked.StartingSequenceNumber, LATEST: perShard }[
      asked.ShardIteratorType] || 0
    return { ShardIterator: `${standin.shardNumber(asked.ShardId)}:${from}` }
  },
  GetRecords: asked => {
    const [shard, from] = asked.ShardIterator.split(':').map(Number)
    const most = Math.max(1, Math.min(Math.floor(mostBytes / bytes), asked.Limit))
    const to = Math.min(perShard, from + most)
    const records = []
    for (let i = from; i < to; i++) {
      records.push(`{"SequenceNumber":"${i + 1}","PartitionKey":"k",` +
        `"ApproximateArrivalTimestamp":${arrived},"Data":"${data(shard * perShard + i)}"}`)
    }
    return `{"NextShardIterator":"${shard}:${to}","MillisBehindLatest":${to < perShard ? 1000 : 0},` +
      `"Records":[${records.join(',')}]}`
  }
})
