// One certificate for all servers: ECDSA P-256, self-signed, so that handshakes cost the same.
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { outputOf } from '../programs.js'
import { DOMAIN, type Site } from './peer.js'

export function createCertificate(folder: string): Site['certificate'] {
  const certificate = { chain: join(folder, 'chain.pem'), key: join(folder, 'key.pem') }
  const request = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30`
  const made = outputOf(
    'openssl',
    ...request.split(' '),
    ...['-subj', `/CN=${DOMAIN}`, '-addext', `subjectAltName=DNS:${DOMAIN}`],
    ...['-keyout', certificate.key, '-out', certificate.chain],
  )
  if (made === undefined) throw new Error('openssl is needed to make a certificate')
  chmodSync(certificate.key, 0o644)
  return certificate
}
