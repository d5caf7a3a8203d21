// Preload (node -r ./loopback.js SERVER.js): whatever address a server asks
// for, it listens on the loopback interface; each port that opens is told on
// a line of its own, {"listening":PORT}.
const net = require('net')
const listen = net.Server.prototype.listen

function onLoopback (args) {
  const wanted = args[0]
  if (wanted !== null && typeof wanted === 'object') {
    return wanted.port === undefined
      ? args
      : [{ ...wanted, host: '127.0.0.1' }, ...args.slice(1)]
  }
  return [{ port: Number(wanted), host: '127.0.0.1' },
    ...args.filter(arg => typeof arg === 'function')]
}

net.Server.prototype.listen = function (...args) {
  this.once('listening', () => {
    const address = this.address()
    if (address && address.port) {
      process.stdout.write(JSON.stringify({ listening: address.port }) + '\n')
    }
  })
  return listen.apply(this, onLoopback(args))
}
