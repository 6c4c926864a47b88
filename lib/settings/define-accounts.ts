import { isDeepStrictEqual } from 'node:util'
import type { Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import { accepted, OperationalError, type Refusal, refused, type Result } from '@/lib/kit'
import { log } from '@/lib/log'
import { openSecret, sealSecret, type SecretPlace } from './seal'

/** One thing that an account has to be told. */
export type AccountField = {
  name: string
  kind: 'text' | 'url' | 'yes_no'
  isSecret: boolean
  /** Without it the account cannot be switched on. Fields of one `pair` are needed both or neither. */
  isRequired: boolean
  pair?: string
  /** What it is until an operator says otherwise. */
  initial: string
  /** What else its value must look like, so that one in the wrong field is noticed before anybody outside refuses it. */
  form?: RegExp
  /** What the field is called in its form, where that is not made of its name. */
  inputName?: string
}

/** An account of ours elsewhere. Its field `apiUrl` says where the secrets are sent. */
export type AccountDefinition = { name: string; fields: readonly AccountField[] }
export type AccountValues = Readonly<Record<string, string>>
/** The columns every such account has: what is no secret, the sealed secrets, and how the long ones end. */
export type AccountRow = { settings: Prisma.JsonValue; sealed: Prisma.JsonValue; hints: Prisma.JsonValue }
type Texts = Record<string, string>

/** Why an account cannot be used as it is set up. */
export type AccountProblem = 'not_set_up' | 'unreadable' | 'refused_in_production'
export type AccountGap = Refusal<'secret_missing' | 'setting_missing' | 'secret_unreadable'>

/** A field as its form shows it. Of a secret only whether it is stored and how it ends; never more, also not to the owner. */
export type AccountFieldView = Pick<AccountField, 'name' | 'kind' | 'isSecret' | 'isRequired'> & {
  inputName: string
  value: string
  isStored: boolean
  hint: string | null
  /** It is stored, and the key in the environment does not open it. */
  isUnreadable: boolean
}

/** What a save would leave. */
export type AccountChange = {
  /** Everything that will hold, the secrets in clear; '' for one that cannot be opened. */
  values: AccountValues
  /** The first stored secret that cannot be opened and was not typed again. */
  unreadable: AccountField | null
  /** The fields that are other than before; for the audit, which holds names only. */
  changed: string[]
  /** For the row. What was tested is not what is there after a change. */
  data: { settings: Texts; sealed: Texts; hints: Texts; testedAt?: null; testResult?: null }
}

/** What is left of an account whose secrets are deleted: its addresses, ids and terms. */
export const FORGOTTEN = { isEnabled: false, sealed: {}, hints: {}, testedAt: null, testResult: null }

/** Where there is no row yet. */
export const NO_ACCOUNT: AccountRow = { settings: {}, sealed: {}, hints: {} }
const SHORTEST_HINTED = 12

/**
 * Accounts of one kind (ways to pay, suppliers, channels), with secrets bound to `group`, account and field. The rows are the caller's. `refuseHere` tells what of the
 * values is no real account, and at which field; production then takes it neither to switch on nor to use.
 */
export function defineAccounts<Definition extends AccountDefinition, Code extends string = never>(
  group: string,
  refuseHere: (definition: Definition, values: AccountValues) => { field: string; code: Code } | null = () => null,
) {
  const placeOf = ({ name: owner }: Definition, { name }: AccountField): SecretPlace => ({ group, owner, name })

  /** All values of a row, the secrets opened, first values where nothing was set. Throws OperationalError for a secret that cannot be opened. */
  function open(definition: Definition, row: AccountRow, fields = definition.fields): AccountValues {
    const [settings, sealed] = [row.settings as Texts, row.sealed as Texts]
    const valueOf = (field: AccountField): string => {
      if (!field.isSecret) return settings[field.name] || field.initial
      return sealed[field.name] ? openSecret(placeOf(definition, field), sealed[field.name]!) : ''
    }
    return Object.fromEntries(fields.map((field) => [field.name, valueOf(field)]))
  }

  /** The same; null where a secret cannot be opened, which the log then names. */
  function tryOpen(definition: Definition, row: AccountRow, fields = definition.fields): AccountValues | null {
    try {
      return open(definition, row, fields)
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error
      log('settings').error({ error, group, account: definition.name }, 'a stored secret cannot be opened')
      return null
    }
  }

  /** What production does not take of these values; null when it takes them. Nothing is refused elsewhere. */
  function refuseInProduction(definition: Definition, values: AccountValues) {
    const why = env().SLUICE_MODE === 'production' ? refuseHere(definition, values) : null
    if (!why) return null
    const field = definition.fields.find(({ name }) => name === why.field)
    return refused(why.code, { field: field ? accountInputName(field) : why.field })
  }

  /** The values of a row when they are whole and have their form. Refuses, but for a secret that cannot be opened with the `field`. */
  function read(definition: Definition, row: AccountRow | null): Result<AccountValues, AccountGap> {
    const values = tryOpen(definition, row ?? NO_ACCOUNT)
    if (!values) return refused('secret_unreadable')
    const missing = findMissing(definition, values)
    if (missing) return refuseMissing(missing)
    const odd = findMalformed(definition, values)
    return odd ? refused('setting_missing', { field: accountInputName(odd) }) : accepted(values)
  }

  /** The values that an account is used with, or why it cannot be. Never throws for what is stored: one account must not take the others with it. */
  function judge(
    definition: Definition,
    row: AccountRow | null,
  ): { values: AccountValues; problem: null } | { values: null; problem: AccountProblem } {
    const none = (problem: AccountProblem) => ({ values: null, problem })
    if (!row) return none('not_set_up')
    const values = tryOpen(definition, row)
    if (!values) return none('unreadable')
    if (findMissing(definition, values)) return none('not_set_up')
    if (findMalformed(definition, values)) return none('unreadable')
    if (refuseInProduction(definition, values)) return none('refused_in_production')
    return { values, problem: null }
  }

  /**
   * What typing these values would leave. Fields that are not named keep their value; so does a secret that is left empty. Refuses `secret_needed_again`
   * when a secret is kept and the address names another server: otherwise whoever may change the address could have the stored secrets sent to a
   * server of their own, and so read them after all. Throws OperationalError when there is no key to seal with.
   */
  function change(
    definition: Definition,
    row: AccountRow,
    typed: AccountValues,
  ): Result<AccountChange, Refusal<'secret_needed_again'>> {
    const { settings, sealed, hints } = structuredClone(row) as { settings: Texts; sealed: Texts; hints: Texts }
    const values: Texts = {}
    const changed: string[] = []
    let kept: AccountField | null = null
    let unreadable: AccountField | null = null
    for (const field of definition.fields) {
      const { name } = field
      const before = tryOpen(definition, row, [field])?.[name] ?? null
      if (!field.isSecret && typed[name] !== undefined) settings[name] = typed[name]
      const value = field.isSecret ? typed[name] || before : settings[name] || field.initial
      values[name] = value ?? ''
      if (value === null) unreadable ??= field
      else if (value !== before) changed.push(name)
      if (!field.isSecret) continue
      if (sealed[name] && !typed[name]) kept ??= field
      if (!value) continue
      // Sealed anew with every save, so that a new key takes over and the old one can be thrown away.
      sealed[name] = sealSecret(placeOf(definition, field), value)
      if (value.length >= SHORTEST_HINTED) hints[name] = value.slice(-4)
      else delete hints[name]
    }
    if (kept && originOf(definition, row.settings as Texts) !== originOf(definition, settings))
      return refused('secret_needed_again', { field: accountInputName(kept) })
    const tested = changed.length > 0 && { testedAt: null, testResult: null }
    return accepted({ values, unreadable, changed, data: { settings, sealed, hints, ...tested } })
  }

  /** Why an account cannot be switched on with what a save would leave, at which `field`. */
  function refuseUse(definition: Definition, { values, unreadable }: AccountChange) {
    if (unreadable) return refused('secret_unreadable', { field: accountInputName(unreadable) })
    const missing = findMissing(definition, values)
    return refuseInProduction(definition, values) ?? (missing && refuseMissing(missing))
  }

  function viewFields(definition: Definition, row: AccountRow | null): AccountFieldView[] {
    const [settings, sealed, hints] = [row?.settings ?? {}, row?.sealed ?? {}, row?.hints ?? {}] as [
      Texts,
      Texts,
      Texts,
    ]
    return definition.fields.map((field) => {
      const { name, kind, isSecret, isRequired } = field
      const isStored = isSecret && Boolean(sealed[name])
      return {
        name,
        kind,
        isSecret,
        isRequired,
        inputName: accountInputName(field),
        value: isSecret ? '' : settings[name] || field.initial,
        isStored,
        hint: isSecret ? (hints[name] ?? null) : null,
        isUnreadable: isStored && tryOpen(definition, row!, [field]) === null,
      }
    })
  }

  return { open, tryOpen, read, judge, change, refuseInProduction, refuseUse, viewFields }
}

/** What the field is called in the form; the wrapper of actions shows nothing again whose name speaks of a secret. */
export function accountInputName({ name, isSecret, inputName }: AccountField): string {
  return inputName ?? `${isSecret ? 'secret' : 'setting'}.${name}`
}

/** Whether a value has the form its field asks for: an address is http(s) without anything that hides or adds, a text is one visible line. */
export function hasForm(field: AccountField, value: string): boolean {
  if (field.kind === 'yes_no') return value === 'yes' || value === 'no'
  // Keys travel in headers, which take visible characters only.
  if (!/^[!-~]{1,500}$/.test(value)) return false
  if (field.form) return field.form.test(value)
  if (field.kind !== 'url') return true
  if (!URL.canParse(value)) return false
  const url = new URL(value)
  return /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash
}

/** The first field whose value cannot be kept at all, switched on or not. Null when every value that is there has its form. */
export function findMalformed({ fields }: AccountDefinition, values: AccountValues): AccountField | null {
  return fields.find((field) => values[field.name] && !hasForm(field, values[field.name]!)) ?? null
}

/** The first field that is missing: required, or one of a pair whose other is there. Null when the values are whole. */
export function findMissing({ fields }: AccountDefinition, values: AccountValues): AccountField | null {
  const isNeeded = ({ isRequired, pair }: AccountField): boolean =>
    isRequired || fields.some((other) => pair !== undefined && other.pair === pair && Boolean(values[other.name]))
  return fields.find((field) => !values[field.name] && isNeeded(field)) ?? null
}

/** The names under which two records differ; for the audit. */
export function namesOfChanges<Name extends string>(
  names: readonly Name[],
  before: Readonly<Record<Name, unknown>>,
  after: Readonly<Record<Name, unknown>>,
): Name[] {
  return names.filter((name) => !isDeepStrictEqual(before[name], after[name]))
}

function refuseMissing(field: AccountField) {
  return refused(field.isSecret ? 'secret_missing' : 'setting_missing', { field: accountInputName(field) })
}

/** Where the secrets are sent; null while there is no address. */
function originOf({ fields }: AccountDefinition, settings: Texts): string | null {
  const address = settings.apiUrl || fields.find(({ name }) => name === 'apiUrl')?.initial
  return address ? new URL(address).origin : null
}
