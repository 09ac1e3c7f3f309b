// The certificate of `tls` and its key: both there, both PEM, and made for each other. Told here, it is
// told by `tercet check` and with a place; a server that is up already keeps what it has.

import { X509Certificate, createPrivateKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { FaultList } from './config-fault.js'
import type { Found, Section } from './config-reader.js'

export interface TlsFiles {
  readonly certificate: string
  readonly key: string
  readonly clientCa?: string
}

/** `found` is the section as the reader left it: the files can be read. */
export function readTls(found: Found, list: FaultList): TlsFiles | undefined {
  const parts = found.value as Section
  const [certificate, key] = [parts.get('certificate'), parts.get('key')]
  for (const name of ['certificate', 'key']) {
    const written = found.node.kind !== 'map' || found.node.entries.has(name)
    if (!written) list.add(found.node, `tls needs a certificate and a key: ${name} is missing`)
  }
  if (!certificate || !key) return undefined
  checkPair(certificate, key, list)
  const files = { certificate: String(certificate.value), key: String(key.value) }
  const authority = parts.get('client_ca')
  if (!authority || authority.value === '') return files
  attempt(authority, list, `there is no certificate in PEM in ${authority.value}`, readCertificate)
  return { ...files, clientCa: String(authority.value) }
}

function checkPair(certificate: Found, key: Found, list: FaultList): void {
  const leaf = attempt(
    certificate,
    list,
    `there is no certificate in PEM in ${certificate.value}`,
    readCertificate,
  )
  const secret = attempt(
    key,
    list,
    `there is no private key in PEM without a passphrase in ${key.value}`,
    readKey,
  )
  if (!leaf || !secret) return
  if (!leaf.checkPrivateKey(secret))
    list.add(key.node, 'this key does not belong to the certificate')
  if (new Date(leaf.validTo).getTime() < Date.now())
    list.warn(certificate.node, `this certificate ended: ${leaf.validTo}`)
}

const readCertificate = (pem: Buffer): X509Certificate => new X509Certificate(pem)
const readKey = (pem: Buffer): KeyObject => createPrivateKey(pem)

function attempt<T>(
  found: Found,
  list: FaultList,
  message: string,
  read: (pem: Buffer) => T,
): T | undefined {
  try {
    return read(readFileSync(String(found.value)))
  } catch {
    // OpenSSL's own words name a line of its source.
    list.add(found.node, message)
    return undefined
  }
}
