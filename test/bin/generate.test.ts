// Generated files: they are what their declarations say, the sample is a configuration, and every
// declaration is in them.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { commandPages, commandsManual, manPage } from '../../bin/generate/commands-manual.js'
import { bash, fish, zsh } from '../../bin/generate/completion.js'
import { doap } from '../../bin/generate/doap.js'
import { gatherFacts } from '../../bin/generate/facts.js'
import { configurationManual, modulesManual } from '../../bin/generate/manual.js'
import { sample } from '../../bin/generate/sample.js'
import { schema } from '../../bin/generate/schema.js'
import { nameRules } from '../../lib/core/configuration.js'
import { readConfig } from '../../lib/ops/config.js'
import { selfSigned } from '../../lib/net/certificates.js'
import { globalKeys, listenKeys } from '../../lib/ops/config-keys.js'

const facts = await gatherFacts()

test('the sample with all its marks taken away is a configuration without a fault', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tercet-sample-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const { certificate, key } = selfSigned(['localhost'])
  writeFileSync(join(folder, 'fullchain.pem'), certificate)
  writeFileSync(join(folder, 'people-ca.pem'), certificate)
  writeFileSync(join(folder, 'privkey.pem'), key)
  const ask = () => readConfig({ env: {}, cwd: folder, heads: facts.modules, names: nameRules })
  const commented = sample(facts)
  t.same(commented.match(/^\s*[^#\s].*$/gm), null, 'as it is, it changes nothing')
  const yaml = commented.replace(/^(\s*)#(?=\S)/gm, '$1')
  writeFileSync(join(folder, 'tercet.yaml'), yaml)
  const answer = await ask()
  t.same(answer.faults, [])
  t.same(answer.warnings, [])
  writeFileSync(join(folder, 'tercet.yaml'), '')
  const { settings } = await ask()
  t.same(answer.settings?.listen, settings?.listen, 'and the defaults are the defaults')
  t.equal(answer.settings?.hosts[0]?.passwordRounds, settings?.hosts[0]?.passwordRounds)
})

test('every key, module, option and command is in its references', (t) => {
  const manual = configurationManual()
  for (const name of [...Object.keys(globalKeys), ...Object.keys(listenKeys)])
    t.match(manual, `\`${name}\``)
  const modules = modulesManual(facts)
  const whole = JSON.parse(schema(facts))
  for (const { name, config } of facts.modules) {
    t.match(modules, `## ${name}\n`)
    t.ok(whole.properties.modules.properties[name], `${name} is in the schema`)
    for (const option of Object.keys(config ?? {})) {
      t.match(modules, `| \`${option}\` |`)
      t.match(sample(facts), `    #${option}: `)
    }
  }
  for (const { usage } of commandPages(facts))
    t.match(commandsManual(facts), `### tercet ${usage}\n`)
  t.end()
})

test('doap.xml lists every XEP once, with its version', (t) => {
  const text = doap(facts)
  const listed = [...text.matchAll(/extensions\/(xep-\d{4})\.html/g)].map((match) => match[1])
  const heads = facts.modules.flatMap(({ xeps }) => Object.keys(xeps ?? {}))
  t.same(listed, [...new Set(heads.map((xep) => xep.toLowerCase()))].sort())
  t.notMatch(text, /<xmpp:version><\//)
  t.end()
})

test('the same declarations make the same files', async (t) => {
  const again = await gatherFacts()
  for (const write of [
    sample,
    modulesManual,
    commandsManual,
    manPage,
    schema,
    doap,
    bash,
    zsh,
    fish,
  ]) {
    t.equal(write(facts), write(again), write.name)
  }
})

test('completion for bash knows nouns, verbs and flags', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tercet-completion-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'tercet.bash'), bash(facts))
  const complete = (...words: string[]) => {
    const list = words.map((word) => `'${word}'`).join(' ')
    const script = `source tercet.bash; COMP_WORDS=(tercet ${list}); COMP_CWORD=${words.length}; _tercet; echo "\${COMPREPLY[*]}"`
    return spawnSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8' }).stdout.trim()
  }
  t.equal(complete('chec'), 'check')
  t.match(complete('user', 'a'), /\badd\b/)
  t.match(complete('user', 'add', 'romeo@localhost', '--pass'), '--password-stdin')
  t.equal(complete('config', ''), 'print')
  t.match(complete('start', '--'), '--log')
  t.end()
})

test('the man page is roff that names every command', (t) => {
  const page = manPage(facts)
  for (const { usage } of commandPages(facts))
    t.match(page, `.B tercet ${usage.replaceAll('-', '\\-')}\n`)
  t.notMatch(page, /^\.[^BRTISP\\]/m, 'no line is taken for a request by accident')
  t.end()
})

test('--check fails and names what is stale', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tercet-stale-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const generate = (...args: string[]) =>
    spawnSync(
      process.execPath,
      [join(import.meta.dirname, '..', '..', 'bin', 'generate.js'), folder, ...args],
      { encoding: 'utf8' },
    )
  t.equal(generate().status, 0)
  t.match(generate('--check'), { status: 0, stderr: '' })
  writeFileSync(join(folder, 'doap.xml'), `${readFileSync(join(folder, 'doap.xml'), 'utf8')} `)
  t.match(generate('--check'), { status: 1, stderr: /^doap\.xml is stale$/m })
  t.end()
})
