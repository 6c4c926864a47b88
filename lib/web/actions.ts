import { headers } from 'next/headers'
import { redirect, unstable_rethrow } from 'next/navigation'
import type { z } from 'zod'
import { translator } from '@/i18n/translator'
import type { Locale } from '@/i18n/locales'
import type { Actor } from '@/lib/audit'
import { isAllowed, type Permission, type SessionUser } from '@/lib/identity'
import type { Result } from '@/lib/kit'
import { type ActionState, IDLE } from './action-state'
import { factTexts, type KnownRefusal, REFUSALS, sayRefusal } from './errors'
import { reportFault } from './faults'
import { signInPath } from './guards'
import { currentLocale } from './preferences'
import { currentSession } from './session'

/** What work answers when it was done and stays on the page: a sentence to show, facts for the form; null for neither. */
export type Done = { message?: string; facts?: Record<string, unknown> } | null

/** An action as forms take it: with the previous state (`useActionState`), or alone on a plain form, whose page is then rendered anew. */
export type FormAction = {
  (formData: FormData): Promise<void>
  (previous: ActionState, formData: FormData): Promise<ActionState>
}

export type PublicContext = { locale: Locale }
export type UserContext = { locale: Locale; user: SessionUser; sessionId: string; actor: Actor }

type Work<Input, Context> = (input: Input, context: Context) => Promise<Result<Done, KnownRefusal>>

/** An action for anybody. See `FormAction` for how forms use it; the input is parsed with `schema` before `work` sees it. */
export function publicAction<Schema extends z.ZodType>(
  schema: Schema,
  work: Work<z.output<Schema>, PublicContext>,
): FormAction {
  return formAction(schema, work, async (locale) => ({ ok: true, value: { locale } }))
}

/** An action for whoever is signed in. Nobody is sent to sign in and comes back to the page. */
export function userAction<Schema extends z.ZodType>(
  schema: Schema,
  work: Work<z.output<Schema>, UserContext>,
): FormAction {
  return formAction<Schema, UserContext>(schema, work, async (locale) => {
    const session = await currentSession()
    if (!session) redirect(await signInPath())
    return { ok: true, value: { locale, ...session, actor: { kind: 'user', id: session.user.id } } }
  })
}

/** An action for staff who may do this; everybody else is refused `not_allowed`. */
export function adminAction<Schema extends z.ZodType>(
  permission: Permission,
  schema: Schema,
  work: Work<z.output<Schema>, UserContext>,
): FormAction {
  return formAction<Schema, UserContext>(schema, work, async (locale) => {
    const session = await currentSession()
    if (!session) redirect(await signInPath())
    if (!isAllowed(session.user.role, permission)) return { ok: false, refusal: { code: 'not_allowed', facts: {} } }
    return { ok: true, value: { locale, ...session, actor: { kind: 'staff', id: session.user.id } } }
  })
}

function formAction<Schema extends z.ZodType, Context extends PublicContext>(
  schema: Schema,
  work: Work<z.output<Schema>, Context>,
  admit: (locale: Locale) => Promise<Result<Context, KnownRefusal>>,
): FormAction {
  async function answer(formData: FormData): Promise<ActionState> {
    const typed = readForm(formData)
    const state = { ...IDLE, values: shownAgain(typed) }
    const locale = await currentLocale()
    try {
      const context = await admit(locale)
      if (!context.ok) return refusedState(state, context.refusal, locale)
      const input = schema.safeParse(typed)
      const zeroed = Object.keys(typed).filter((name) => hasZeroByte(typed[name]))
      if (!input.success || zeroed.length > 0)
        return {
          ...state,
          status: 'invalid',
          message: translator(locale, 'fields')('form_invalid'),
          fieldErrors: {
            ...Object.fromEntries(zeroed.map((name) => [name, translator(locale, 'fields')('value_invalid')])),
            ...sayIssues(input.error?.issues ?? [], locale),
          },
        }
      const result = await work(input.data, context.value)
      if (!result.ok) return refusedState(state, result.refusal, locale)
      return {
        ...state,
        status: 'done',
        message: result.value?.message ?? null,
        facts: factTexts(result.value?.facts ?? {}),
      }
    } catch (error) {
      // Redirects and "not found" travel as exceptions; they are Next's, not faults.
      unstable_rethrow(error)
      const reference = reportFault(
        `action on ${(await headers()).get('x-sluice-path')?.split('?')[0] ?? 'a page'}`,
        error,
      )
      return { ...state, status: 'failed', message: translator(locale, 'common')('fault', { reference }) }
    }
  }
  async function action(first: ActionState | FormData, second?: FormData): Promise<ActionState | void> {
    if (second instanceof FormData) return answer(second)
    if (first instanceof FormData) await answer(first)
  }
  return action as FormAction
}

function refusedState(state: ActionState, refusal: KnownRefusal, locale: Locale): ActionState {
  const sentence = sayRefusal(refusal, locale)
  const row: { status: number; field?: string } = REFUSALS[refusal.code]
  const field = row.field ?? (typeof refusal.facts.field === 'string' ? refusal.facts.field : undefined)
  return {
    ...state,
    status: 'refused',
    code: refusal.code,
    facts: factTexts(refusal.facts),
    message: field ? translator(locale, 'fields')('form_invalid') : sentence,
    fieldErrors: field ? { [field]: sentence } : {},
  }
}

/** The form as a plain record; a name that occurs more than once becomes a list. What React adds for itself is left out. */
function readForm(formData: FormData): Record<string, FormDataEntryValue | FormDataEntryValue[]> {
  const typed: Record<string, FormDataEntryValue | FormDataEntryValue[]> = {}
  for (const name of new Set(formData.keys())) {
    if (name.startsWith('$') || name === '__proto__') continue
    const all = formData.getAll(name)
    typed[name] = all.length === 1 ? all[0]! : all
  }
  return typed
}

/** No field has a use for a zero byte, and PostgreSQL cannot store one. */
function hasZeroByte(value: unknown): boolean {
  return Array.isArray(value) ? value.some(hasZeroByte) : typeof value === 'string' && value.includes('\0')
}

/** What may be shown again after a refusal: short texts, never anything whose name speaks of a password or a token. */
function shownAgain(typed: Record<string, unknown>): Record<string, string> {
  const values: Record<string, string> = {}
  for (const [name, value] of Object.entries(typed))
    if (typeof value === 'string' && value.length <= 2000 && !/password|token|secret/i.test(name)) values[name] = value
  return values
}

/**
 * For each field its first issue, in words. A schema names the text itself (`email_invalid`); where it does not, zod's own kind of issue decides.
 */
export function sayIssues(issues: readonly z.core.$ZodIssue[], locale: string): Record<string, string> {
  const say = translator(locale, 'fields')
  const errors: Record<string, string> = {}
  for (const issue of issues) {
    const field = issue.path.join('.')
    if (field in errors) continue
    const named = issue.message as 'value_invalid'
    const key = say.has(named) ? named : defaultText(issue)
    const limits = issue as { minimum?: unknown; maximum?: unknown }
    errors[field] = say(key, { minimum: String(limits.minimum ?? ''), maximum: String(limits.maximum ?? '') } as never)
  }
  return errors
}

function defaultText(issue: z.core.$ZodIssue): 'required' | 'too_small' | 'too_big' | 'value_invalid' {
  if (issue.code === 'invalid_type' && issue.input === undefined) return 'required'
  if (issue.code === 'too_small') return issue.origin === 'string' ? 'required' : 'too_small'
  if (issue.code === 'too_big' && issue.origin !== 'string') return 'too_big'
  return 'value_invalid'
}
