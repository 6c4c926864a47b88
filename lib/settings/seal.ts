import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { env } from '@/lib/env'
import { OperationalError } from '@/lib/kit'

/** Which secret it is. A value sealed for one place opens at no other, so that rows and fields cannot be swapped in the database. */
export type SecretPlace = { group: string; owner: string; name: string }

const VERSION = 'v1'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Closes a secret for the database: AES-256-GCM under SETTINGS_KEY with a nonce of its own, bound to its place. The text names version and key:
 * `v1.<key id>.<base64url>`. Throws OperationalError where no key is set.
 */
export function sealSecret(place: SecretPlace, secret: string): string {
  const key = env().SETTINGS_KEY
  if (!key) throw new OperationalError('settings', 'SETTINGS_KEY is not set, so no secret can be kept')
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(boundTo(place))
  const closed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
  return [VERSION, idOf(key), Buffer.concat([nonce, cipher.getAuthTag(), closed]).toString('base64url')].join('.')
}

/**
 * Opens what `sealSecret` closed for this place, under SETTINGS_KEY or the one before it. Throws OperationalError that names the place when that cannot be
 * done: another key, another place, a changed value.
 */
export function openSecret(place: SecretPlace, sealed: string): string {
  const [version, keyId, packed, ...rest] = sealed.split('.')
  const key = [env().SETTINGS_KEY, env().SETTINGS_KEY_PREVIOUS].find((each) => each && idOf(each) === keyId)
  const unreadable = (why: string) =>
    new OperationalError('settings', `${place.group} ${place.owner}: ${place.name} cannot be read: ${why}`)
  if (version !== VERSION || !packed || rest.length > 0) throw unreadable('it is no sealed value')
  if (!key) throw unreadable('it was sealed under another SETTINGS_KEY')
  const bytes = Buffer.from(packed, 'base64url')
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw unreadable('it is cut short')
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
      .setAAD(boundTo(place))
      .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8')
  } catch {
    throw unreadable('it was changed, or belongs elsewhere')
  }
}

/** Names a key without telling anything of it. */
function idOf(key: Buffer): string {
  return createHash('sha256').update('sluice settings key').update(key).digest('hex').slice(0, 8)
}

function boundTo({ group, owner, name }: SecretPlace): Buffer {
  return Buffer.from(JSON.stringify([VERSION, group, owner, name]))
}
