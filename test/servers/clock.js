// Preload (node -r ./clock.js SERVER.js): the server's clock is ahead by as
// many milliseconds as the file named by CLOCK_FILE says.  Looked at again
// 50 times a second: iterators expire, and records grow old, on demand.  What
// was read last is in a file beside it, with .seen to its name.
const fs = require('fs')

const file = process.env.CLOCK_FILE
let aheadMs = 0

function look () {
  const text = fs.readFileSync(file, 'latin1')
  const wanted = parseInt(text, 10) || 0
  if (wanted === aheadMs) return
  aheadMs = wanted
  fs.writeFileSync(file + '.seen', text)
}

const Real = Date
global.Date = new Proxy(Real, {
  construct: (target, args) => args.length ? new Real(...args) : new Real(Real.now() + aheadMs),
  get: (target, name) => name === 'now' ? () => Real.now() + aheadMs : target[name]
})

// kinesis-local takes the time of day from here
const origin = performance.timeOrigin
Object.defineProperty(performance, 'timeOrigin', { get: () => origin + aheadMs })

look()
setInterval(look, 20).unref()
