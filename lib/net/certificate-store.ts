// The certificates of the hosts, chosen by SNI and read again when their files change. A new pair
// is tried before it replaces the old one: a broken file leaves everything as it is and is told to
// `onProblem`. Connections that are open keep the context that they began with.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import type { SecureContext } from 'node:tls'
import { type Clock, systemClock, type Timer } from '../ops/clock.js'
import { ConfigError } from '../xmpp/errors.js'
import { makeContext } from './tls.js'

export interface CertificateFiles {
  readonly certificate: string
  readonly key: string
  /** Whose client certificates count as trusted under this name; without it none does. */
  readonly clientCa?: string
}

export interface CertificateOptions {
  clock?: Clock
  /** How often files are looked at */
  interval?: number
  ca?: (string | Buffer)[]
  ticketKeys?: Buffer
  onProblem?: (domain: string, problem: Error) => void
  onReload?: (domain: string, certificate: X509Certificate) => void
}

interface Entry {
  readonly domain: string
  readonly files: CertificateFiles
  context: SecureContext
  certificate: X509Certificate
  /** What the files looked like when they were read, and at the last look */
  loaded: string
  seen: string
}

const INTERVAL = 5_000

export class Certificates {
  #entries = new Map<string, Entry>()
  #options: CertificateOptions
  #timer: Timer | undefined
  #closed = false

  constructor(options: CertificateOptions = {}) {
    this.#options = options
  }

  /** Adds or replaces; what cannot be read is a ConfigError and changes nothing. */
  async add(domain: string, files: CertificateFiles): Promise<void> {
    try {
      const entry = await this.#load(domain, files)
      this.#entries.set(entry.domain, entry)
    } catch (error) {
      throw new ConfigError([{ message: `TLS for ${domain}: ${reason(error)}`, path: 'tls' }])
    }
    if (!this.#timer && !this.#closed) this.#schedule()
  }

  remove(domain: string): void {
    this.#entries.delete(domain.toLowerCase())
  }

  get domains(): string[] {
    return [...this.#entries.keys()]
  }

  certificateFor(name: string | undefined): X509Certificate | undefined {
    return this.#entryFor(name)?.certificate
  }

  /** By SNI: the host itself, else the host above it (its services), else the first one. */
  contextFor(name: string | undefined): SecureContext {
    const entry = this.#entryFor(name)
    if (!entry) throw new ConfigError([{ message: 'there is no certificate', path: 'tls' }])
    return entry.context
  }

  #entryFor(name: string | undefined): Entry | undefined {
    for (let rest = name?.toLowerCase() ?? ''; rest !== ''; rest = parentOf(rest)) {
      const entry = this.#entries.get(rest)
      if (entry) return entry
    }
    return this.#entries.values().next().value
  }

  /** Looks at the files now; with `force` a change is believed at once. */
  async refresh(force = false): Promise<void> {
    for (const entry of this.#entries.values()) await this.#look(entry, force)
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #schedule(): void {
    const { clock = systemClock, interval = INTERVAL } = this.#options
    this.#timer = clock.after(interval, async () => {
      await this.refresh()
      if (!this.#closed) this.#schedule()
    })
  }

  // Who renews writes two files, one after the other: a change counts when it has stood still for one look.
  async #look(entry: Entry, force: boolean): Promise<void> {
    const now = await stampOf(entry.files)
    const settled = force || now === entry.seen
    entry.seen = now
    if (now === entry.loaded || !settled) return
    entry.loaded = now
    await this.#reload(entry)
  }

  async #reload(entry: Entry): Promise<void> {
    try {
      const { context, certificate } = await this.#load(entry.domain, entry.files)
      entry.context = context
      entry.certificate = certificate
      this.#options.onReload?.(entry.domain, certificate)
    } catch (error) {
      this.#options.onProblem?.(entry.domain, error as Error)
    }
  }

  async #load(domain: string, files: CertificateFiles): Promise<Entry> {
    const stamp = await stampOf(files)
    const [pem, key] = await Promise.all([readFile(files.certificate), readFile(files.key)])
    const certificate = new X509Certificate(pem)
    if (!certificate.checkPrivateKey(createPrivateKey(key))) {
      throw new Error(`${files.key} is not the key of ${files.certificate}`)
    }
    const { ticketKeys } = this.#options
    const ca =
      files.clientCa === undefined ? (this.#options.ca ?? []) : [await readFile(files.clientCa)]
    const context = makeContext({ certificate: pem, key, ca, ticketKeys })
    return { domain: domain.toLowerCase(), files, context, certificate, loaded: stamp, seen: stamp }
  }
}

function parentOf(name: string): string {
  const dot = name.indexOf('.')
  return dot < 0 ? '' : name.slice(dot + 1)
}

async function stampOf({ certificate, key, clientCa }: CertificateFiles): Promise<string> {
  const files = [certificate, key, clientCa].filter((file) => file !== undefined)
  const stamps = await Promise.all(files.map(fileStamp))
  return stamps.join(' ')
}

async function fileStamp(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path)
    return `${mtimeMs}-${size}-${ino}`
  } catch {
    return 'missing'
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
