// kinesalite.js [KEY.pem CERT.pem]
//   A kinesalite server on free ports of the loopback interface: one plain
//   port and, if a certificate is given, a TLS port on the same store.
//
// Prints one line of JSON, {"url":..., "tls_url":...}, once it listens.
const fs = require('fs')
const https = require('https')

const transitionMs = 20
const server = require('kinesalite')({
  createStreamMs: transitionMs,
  deleteStreamMs: transitionMs,
  updateStreamMs: transitionMs,
  shardLimit: 5000
})

function listen (httpServer, scheme) {
  return new Promise(resolve => httpServer.listen(0, '127.0.0.1', () =>
    resolve(`${scheme}://127.0.0.1:${httpServer.address().port}`)))
}

async function main (keyFile, certFile) {
  const up = { url: await listen(server, 'http') }
  if (certFile !== undefined) {
    const options = { key: fs.readFileSync(keyFile), cert: fs.readFileSync(certFile) }
    up.tls_url = await listen(https.createServer(options, server.listeners('request')[0]), 'https')
  }
  console.log(JSON.stringify(up))
}

main(process.argv[2], process.argv[3])
