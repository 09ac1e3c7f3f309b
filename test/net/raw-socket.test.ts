// Accepted sockets that read into one shared buffer, and the documented way where Node does not
// look as expected: both serve alike.

import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test } from 'tap'
import { systemClock } from '../../lib/ops/clock.js'
import { Door } from '../../lib/net/door.js'
import { takeConnections } from '../../lib/net/raw-socket.js'
import { dial, readUntil } from './ports.js'

for (const way of ['shared', 'own'] as const) {
  test(`connections with ${way} buffers are read, paused and resumed`, async (t) => {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true })
    const accepted: Socket[] = []
    const seen = new Map<Socket, string>()
    const take = (): string =>
      takeConnections(server, {
        door: new Door({ clock: systemClock }),
        read(chunk) {
          seen.set(this, (seen.get(this) ?? '') + chunk.toString())
          this.write(chunk.toString())
        },
        accept: (socket) => accepted.push(socket),
      })
    // Before it listens a server has no handle, which is how an unexpected Node looks.
    const before = way === 'own' ? take() : ''
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.equal(before || take(), way)
    const { port } = server.address() as AddressInfo
    const clients = [await dial(port), await dial(port)]
    for (const [i, client] of clients.entries()) {
      client.write(`hello ${i}.`)
      t.equal(await readUntil(client, '.'), `hello ${i}.`)
    }
    t.same([...seen.values()].sort(), ['hello 0.', 'hello 1.'])
    accepted[0]!.pause()
    clients[0]!.write('later.')
    clients[1]!.write('now.')
    await readUntil(clients[1]!, 'now.')
    t.equal(seen.get(accepted[0]!), 'hello 0.')
    accepted[0]!.resume()
    t.equal(await readUntil(clients[0]!, '.'), 'later.')
    for (const socket of [...clients, ...accepted]) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
}
