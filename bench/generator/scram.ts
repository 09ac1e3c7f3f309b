// The client's side of SCRAM (RFC 5802) and PLAIN (RFC 4616). The salted password is kept per
// salt and iteration count, as real clients do, so that a measured login costs the generator two
// HMACs and not thousands.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'

export const MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN'] as const
export type Mechanism = (typeof MECHANISMS)[number]

const base64 = (text: string) => Buffer.from(text).toString('base64')

export const plainResponse = (user: string, password: string) => base64(`\0${user}\0${password}`)

type Keys = { client: Buffer; stored: Buffer; server: Buffer }
type Hash = 'sha1' | 'sha256'

const known = new Map<string, Keys>()
const KNOWN_LIMIT = 200_000

function deriveKeys(hash: Hash, password: string, challenge: Challenge): Keys {
  const name = `${hash} ${challenge.salt} ${challenge.rounds} ${password}`
  const found = known.get(name)
  if (found) return found
  const salt = Buffer.from(challenge.salt, 'base64')
  const salted = pbkdf2Sync(password, salt, challenge.rounds, hash === 'sha1' ? 20 : 32, hash)
  const client = hmac(hash, salted, 'Client Key')
  const stored = createHash(hash).update(client).digest()
  const keys = { client, stored, server: hmac(hash, salted, 'Server Key') }
  if (known.size < KNOWN_LIMIT) known.set(name, keys)
  return keys
}

const hmac = (hash: Hash, key: Buffer, text: string) => createHmac(hash, key).update(text).digest()

type Challenge = { nonce: string; salt: string; rounds: number }

function readChallenge(text: string): Challenge {
  const field = (name: string) =>
    text
      .split(',')
      .find((part) => part.startsWith(`${name}=`))
      ?.slice(2) ?? ''
  return { nonce: field('r'), salt: field('s'), rounds: Number(field('i')) }
}

export class ScramClient {
  private readonly hash: Hash
  private readonly password: string
  private readonly bare: string
  private expected = ''

  constructor(mechanism: Mechanism, user: string, password: string) {
    this.hash = mechanism === 'SCRAM-SHA-1' ? 'sha1' : 'sha256'
    this.password = password
    this.bare = `n=${user},r=${randomBytes(12).toString('base64')}`
  }

  first(): string {
    return base64(`n,,${this.bare}`)
  }

  answer(challenge64: string): string {
    const text = Buffer.from(challenge64, 'base64').toString()
    const challenge = readChallenge(text)
    const keys = deriveKeys(this.hash, this.password, challenge)
    const final = `c=biws,r=${challenge.nonce}`
    const signed = `${this.bare},${text},${final}`
    const signature = hmac(this.hash, keys.stored, signed)
    const proof = Buffer.from(keys.client.map((byte, i) => byte ^ signature[i]!))
    this.expected = `v=${hmac(this.hash, keys.server, signed).toString('base64')}`
    return base64(`${final},p=${proof.toString('base64')}`)
  }

  /** The server knows the password too (RFC 5802 §3); an empty text means the proof came earlier. */
  accepts(success64: string): boolean {
    return Buffer.from(success64, 'base64').toString() === this.expected
  }
}
