// The client's side of SCRAM, written from RFC 5802 alone, to test the server's side with.

import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'

const digests: Record<string, [string, number]> = {
  'SCRAM-SHA-1': ['sha1', 20],
  'SCRAM-SHA-256': ['sha256', 32],
  'SCRAM-SHA-512': ['sha512', 64],
}

export interface ScramClientOptions {
  mechanism: string
  name: string
  password: string
  authzid?: string
  /** Default 'n' */
  flag?: string
  binding?: Buffer
  nonce?: string
}

export class ScramClient {
  serverFirst = ''
  readonly #options: ScramClientOptions
  readonly #bare: string
  readonly #gs2: string
  #signature = ''

  constructor(options: ScramClientOptions) {
    this.#options = options
    const quoted = (text: string): string => text.replaceAll('=', '=3D').replaceAll(',', '=2C')
    const authzid = options.authzid ? `a=${quoted(options.authzid)}` : ''
    this.#gs2 = `${options.flag ?? 'n'},${authzid},`
    this.#bare = `n=${quoted(options.name)},r=${options.nonce ?? 'fyko+d2lbbFgONRv9qkxdawL'}`
  }

  first(): Buffer {
    return Buffer.from(this.#gs2 + this.#bare)
  }

  attribute(name: string): string | undefined {
    return this.serverFirst
      .split(',')
      .find((part) => part.startsWith(`${name}=`))
      ?.slice(2)
  }

  final(serverFirst: Buffer, change: { nonce?: string } = {}): Buffer {
    this.serverFirst = serverFirst.toString()
    const [digest, length] = digests[this.#options.mechanism.replace('-PLUS', '')]!
    const salt = Buffer.from(this.attribute('s')!, 'base64')
    const rounds = Number(this.attribute('i'))
    const hmac = (key: Buffer, text: string) => createHmac(digest, key).update(text).digest()
    const salted = pbkdf2Sync(this.#options.password, salt, rounds, length, digest)
    const clientKey = hmac(salted, 'Client Key')
    const storedKey = createHash(digest).update(clientKey).digest()
    const header = Buffer.concat([Buffer.from(this.#gs2), this.#options.binding ?? Buffer.alloc(0)])
    const without = `c=${header.toString('base64')},r=${change.nonce ?? this.attribute('r')}`
    const message = `${this.#bare},${this.serverFirst},${without}`
    const signature = hmac(storedKey, message)
    const proof = clientKey.map((byte, at) => byte ^ signature[at]!)
    this.#signature = hmac(hmac(salted, 'Server Key'), message).toString('base64')
    return Buffer.from(`${without},p=${Buffer.from(proof).toString('base64')}`)
  }

  accepts(serverFinal: Buffer): boolean {
    return serverFinal.toString() === `v=${this.#signature}`
  }
}
