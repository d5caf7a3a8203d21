// given_records.js FILE SHARDS
//   A stream "given"; its records are the lines of FILE, in base64, one for each
//   of its shards in turn. It answers as Kinesis does: up to 10 MiB of payload.
const fs = require('fs')
const standin = require('./standin')

const given = fs.readFileSync(process.argv[2], 'latin1').split('\n').slice(0, -1)
const count = Number(process.argv[3])
const ofShard = Array.from({ length: count }, (_, shard) =>
  given.filter((_, i) => i % count === shard))
const mostBytes = 10 * 1024 * 1024 * 4 / 3
const arrived = Date.now() / 1000

standin.serve({
  DescribeStreamSummary: standin.summary(count),
  ListShards: () => ({ Shards: standin.shards(count) }),
  GetShardIterator: asked => {
    const from = asked.ShardIteratorType === 'AFTER_SEQUENCE_NUMBER'
      ? asked.StartingSequenceNumber
      : 0
    return { ShardIterator: `${standin.shardNumber(asked.ShardId)}:${from}` }
  },
  GetRecords: asked => {
    const [shard, from] = asked.ShardIterator.split(':').map(Number)
    const payloads = ofShard[shard]
    const records = []
    let bytes = 0
    let to = from
    while (to < payloads.length && records.length < asked.Limit &&
      (records.length === 0 || bytes + payloads[to].length <= mostBytes)) {
      bytes += payloads[to].length
      records.push(`{"SequenceNumber":"${to + 1}","PartitionKey":"${to}",` +
        `"ApproximateArrivalTimestamp":${arrived},"Data":"${payloads[to]}"}`)
      to++
    }
    return `{"NextShardIterator":"${shard}:${to}","MillisBehindLatest":${to < payloads.length ? 1000 : 0},` +
      `"Records":[${records.join(',')}]}`
  }
})
