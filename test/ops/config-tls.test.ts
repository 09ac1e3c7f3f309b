// `tls`: certificates and keys are files beside the configuration, and belong together.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { selfSigned } from '../../lib/net/certificates.js'
import { readConfig } from '../../lib/ops/config.js'

const names = { domain: (name: string) => name, address: (name: string) => name }
const one = selfSigned(['a.example'])
const other = selfSigned(['b.example'])

function folderFor(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'tercet-tls-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'c.pem'), one.certificate)
  writeFileSync(join(folder, 'k.pem'), one.key)
  writeFileSync(join(folder, 'k2.pem'), other.key)
  writeFileSync(join(folder, 'empty.pem'), '')
  return folder
}

async function read(folder: string, yaml: string, env: Record<string, string> = {}) {
  writeFileSync(join(folder, 'tercet.yaml'), yaml)
  return readConfig({ env, cwd: folder, heads: [], names })
}

const shown = ({ faults }: Awaited<ReturnType<typeof read>>): string[] =>
  faults.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`)

test('a host takes over the global certificate or has its own', async (t) => {
  const folder = folderFor(t)
  mkdirSync(join(folder, 'sub'))
  writeFileSync(join(folder, 'sub', 'c.pem'), other.certificate)
  const own = 'b.example: { tls: { certificate: sub/c.pem, key: { file: k2.pem } } }'
  const yaml = `tls: { certificate: c.pem, key: k.pem }\nhosts:\n  a.example: {}\n  ${own}\n`
  const { settings, faults } = await read(folder, yaml)
  t.same(faults, [])
  t.same(
    settings?.hosts.map(({ tls }) => tls),
    [
      { certificate: join(folder, 'c.pem'), key: join(folder, 'k.pem') },
      { certificate: join(folder, 'sub', 'c.pem'), key: join(folder, 'k2.pem') },
    ],
  )
})

test('a key may be a credential of systemd', async (t) => {
  const folder = folderFor(t)
  const yaml = 'tls: { certificate: c.pem, key: { credential: k.pem } }\n'
  const { settings } = await read(folder, yaml, { CREDENTIALS_DIRECTORY: folder })
  t.equal(settings?.hosts[0]?.tls?.key, join(folder, 'k.pem'))
})

test('what is no certificate, no key or no pair is told at its place', async (t) => {
  const folder = folderFor(t)
  t.same(shown(await read(folder, 'tls:\n  certificate: empty.pem\n  key: c.pem\n')), [
    `2:16 tls.certificate: there is no certificate in PEM in ${join(folder, 'empty.pem')}`,
    `3:8 tls.key: there is no private key in PEM without a passphrase in ${join(folder, 'c.pem')}`,
  ])
  t.same(shown(await read(folder, 'tls: { certificate: c.pem, key: k2.pem }\n')), [
    '1:33 tls.key: this key does not belong to the certificate',
  ])
  t.same(shown(await read(folder, 'tls: { key: k.pem }\n')), [
    '1:6 tls: tls needs a certificate and a key: certificate is missing',
  ])
  t.match(shown(await read(folder, 'tls: { certificate: no.pem, key: k.pem }\n')), [
    /^1:21 .*no\.pem cannot be read/,
  ])
})

test('a certificate that has ended is warned of', async (t) => {
  const folder = folderFor(t)
  const old = selfSigned(['a.example'], Date.UTC(1999, 0))
  writeFileSync(join(folder, 'c.pem'), old.certificate)
  writeFileSync(join(folder, 'k.pem'), old.key)
  const { warnings, faults } = await read(folder, 'tls: { certificate: c.pem, key: k.pem }\n')
  t.same(faults, [])
  t.match(warnings[0]?.message, /^this certificate ended: /)
})
