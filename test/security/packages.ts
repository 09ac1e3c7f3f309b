// What the product is made of beside its own code: every package that is installed to run it, from
// the lockfile. `node build/test/security/packages.js` prints the list, one a line.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

interface LockedPackage {
  version: string
  license?: string
  integrity?: string
  resolved?: string
  dev?: boolean
  optional?: boolean
  devOptional?: boolean
  hasInstallScript?: boolean
  link?: boolean
}

export interface Manifest {
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
}

export interface Package extends LockedPackage {
  readonly name: string
}

export function manifest(): Manifest {
  return JSON.parse(readFileSync('package.json', 'utf8'))
}

export function allPackages(): Package[] {
  const lock: { packages: Record<string, LockedPackage> } = JSON.parse(
    readFileSync('package-lock.json', 'utf8'),
  )
  return Object.entries(lock.packages)
    .filter(([path]) => path !== '')
    .map(([path, entry]) => ({
      ...entry,
      name: path.slice(path.lastIndexOf('node_modules/') + 13),
    }))
}

export function runtimePackages(): Package[] {
  return allPackages().filter(({ dev, devOptional }) => !dev && !devOptional)
}

export function billOfMaterials(): string {
  const line = ({ name, version, license, integrity }: Package) =>
    [name, version, license ?? 'no licence', integrity ?? 'no integrity'].join(' ')
  return runtimePackages().map(line).sort().join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(billOfMaterials())
