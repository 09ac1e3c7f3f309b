// The bare relay as a column of the table: `--only relay`.
import { fileURLToPath } from 'node:url'
import type { Peer } from './peer.js'

const SERVER = fileURLToPath(new URL('relay-server.js', import.meta.url))

export const relay: Peer = {
  name: 'relay',
  title: 'bare relay',
  websocketPath: '/',
  version: () => 'on this Node',
  missing: 'npm run build',
  mechanism: 'PLAIN',
  able: ({ archive, modern, rooms, fresh, transport, mechanism }) =>
    !archive &&
    !modern &&
    !(rooms && fresh) &&
    transport !== 'websocket' &&
    (mechanism ?? 'PLAIN') === 'PLAIN',
  prepare: ({ ports, certificate }) => {
    const parameters = [ports.clear, ports.tls, certificate.chain, certificate.key]
    return { command: [process.execPath, SERVER, ...parameters.map(String)] }
  },
  room: () => ({ service: 'rooms.localhost', form: {} }),
  createAccounts: () => {},
}
