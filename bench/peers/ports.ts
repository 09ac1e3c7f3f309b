// Ports that nobody listens on, below the range that the kernel gives to outgoing connections.
import { createServer } from 'node:net'
import type { Ports } from './peer.js'

const FIRST_PORT = 20_000
const LAST_PORT = 31_000

async function freeFrom(first: number): Promise<number> {
  for (let port = first; ; port++) if (await isFree(port)) return port
}

const somewhere = () => FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT))

export const freePort = () => freeFrom(somewhere())

export async function freePorts(): Promise<Ports> {
  const clear = await freePort()
  const tls = await freeFrom(clear + 1)
  return { clear, tls, http: await freeFrom(tls + 1) }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const server = createServer()
    server.once('error', () => answer(false))
    server.listen(port, '127.0.0.1', () => server.close(() => answer(true)))
  })
}
