// A certificate of our own making, for whoever has none yet: ECDSA P-256, self-signed, kept in the
// data folder so that it stays the same when the server starts again (clients may have pinned it).

import { createSign, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { domainToASCII } from 'node:url'
import { groupsOf } from './addresses.js'
import type { CertificateFiles } from './certificate-store.js'
import { bitString, der, integer, objectId, sequence, TAG, time } from './der.js'

const DAY = 86_400_000
const VALID_DAYS = 3650
/** Made anew when it has less than this left. */
const RENEW_DAYS = 30

export interface KeyPairPem {
  certificate: string
  key: string
}

/** Files for the first of the names; made where there are none, or none for all names, or old ones. */
export async function selfSignedFiles(
  folder: string,
  names: readonly string[],
  now = Date.now(),
): Promise<CertificateFiles> {
  const ascii = names.map(asciiName)
  const files = {
    certificate: join(folder, `${ascii[0]}.crt`),
    key: join(folder, `${ascii[0]}.key`),
  }
  if (await stillGood(files, ascii, now)) return files
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const made = selfSigned(ascii, now)
  await writeSecret(files.key, made.key)
  await writeSecret(files.certificate, made.certificate)
  return files
}

async function stillGood(files: CertificateFiles, names: string[], now: number): Promise<boolean> {
  try {
    const certificate = new X509Certificate(await readFile(files.certificate))
    await chmod(files.key, 0o600)
    const ends = Date.parse(certificate.validTo)
    return ends - now > RENEW_DAYS * DAY && names.every((name) => covers(certificate, name))
  } catch {
    return false
  }
}

function covers(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined
}

/** Readable to nobody else at any moment, and never half written. */
async function writeSecret(path: string, text: string): Promise<void> {
  const fresh = `${path}.${randomBytes(6).toString('hex')}`
  await writeFile(fresh, text, { mode: 0o600 })
  await rename(fresh, path)
}

export function selfSigned(names: readonly string[], now = Date.now()): KeyPairPem {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const body = toBeSigned(names.map(asciiName), spki, now)
  const signature = createSign('sha256').update(body).sign(privateKey)
  const certificate = sequence(body, ecdsaWithSha256, bitString(signature))
  return {
    certificate: pem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  }
}

const ecdsaWithSha256 = sequence(objectId('1.2.840.10045.4.3.2'))

/** RFC 5280 §4.1 */
function toBeSigned(names: string[], spki: Buffer, now: number): Buffer {
  const name = commonName(names[0] ?? 'localhost')
  // A little back: clocks differ.
  const validity = sequence(time(new Date(now - DAY)), time(new Date(now + VALID_DAYS * DAY)))
  const serial = randomBytes(16)
  serial[0] = (serial[0]! & 0x7f) | 0x40
  const version3 = der(0xa0, der(TAG.integer, Buffer.from([2])))
  const extensions = der(0xa3, sequence(...extensionsFor(names)))
  return sequence(
    version3,
    integer(serial),
    ecdsaWithSha256,
    name,
    validity,
    name,
    spki,
    extensions,
  )
}

/** At most 64 characters (RFC 5280 appendix A); nobody reads it where there are alternative names. */
function commonName(name: string): Buffer {
  const text = der(TAG.utf8String, Buffer.from(name.slice(0, 64)))
  return sequence(der(TAG.set, sequence(objectId('2.5.4.3'), text)))
}

function extensionsFor(names: string[]): Buffer[] {
  const yes = der(0x01, Buffer.from([0xff]))
  return [
    extension('2.5.29.17', sequence(...names.map(alternativeName))),
    // A leaf, and nothing it signs is to be believed.
    extension('2.5.29.19', sequence(), yes),
    extension('2.5.29.15', bitString(Buffer.from([0x80]), 7), yes),
    extension('2.5.29.37', sequence(objectId('1.3.6.1.5.5.7.3.1'), objectId('1.3.6.1.5.5.7.3.2'))),
  ]
}

function extension(id: string, value: Buffer, critical?: Buffer): Buffer {
  return sequence(objectId(id), ...(critical ? [critical] : []), der(TAG.octetString, value))
}

const DNS_NAME = 0x82
const IP_ADDRESS = 0x87

function alternativeName(name: string): Buffer {
  if (isIP(name) === 4) return der(IP_ADDRESS, Buffer.from(name.split('.').map(Number)))
  if (isIP(name) === 6)
    return der(IP_ADDRESS, Buffer.from(groupsOf(name).map(padGroup).join(''), 'hex'))
  return der(DNS_NAME, Buffer.from(name, 'latin1'))
}

function padGroup(group: string): string {
  return group.padStart(4, '0')
}

function asciiName(name: string): string {
  const address = name.replace(/^\[|\]$/g, '')
  if (isIP(address)) return address
  return domainToASCII(name.replace(/^\*\./, 'wildcard--')).replace(/^wildcard--/, '*.') || name
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
