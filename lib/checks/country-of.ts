import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { Reader, type Response } from 'mmdb-lib'
import { isPrivateAddress } from './private-addresses'

/** The registries' own data (nro.net, CC BY 4.0), as a file of 8 MB that comes with npm: nothing is asked of anybody when a proxy is checked. */
const FILE = path.join(
  process.cwd(),
  'node_modules',
  '@ip-location-db',
  'geo-whois-asn-country-mmdb',
  'geo-whois-asn-country.mmdb',
)

/** The package's rows; mmdb-lib only knows the shapes of MaxMind's own. */
type Row = { country_code?: string }

let reader: Promise<Reader<Response>> | undefined

/**
 * The country (two capital letters) an address is registered in; null for private addresses and for what the data does not know. The file is read
 * at the first question of a process.
 */
export async function countryOf(address: string): Promise<string | null> {
  if (isPrivateAddress(address)) return null // the data has rows even for some of these
  reader ??= readFile(FILE).then((file) => new Reader<Response>(file))
  const row = (await reader).get(address) as Row | null
  const code = row?.country_code
  return code !== undefined && /^[A-Z]{2}$/.test(code) ? code : null
}
