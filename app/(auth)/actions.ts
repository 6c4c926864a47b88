'use server'

import { redirect } from 'next/navigation'
import { translator } from '@/i18n/translator'
import {
  emailOnlySchema,
  requestPasswordReset,
  requestVerification,
  resetPassword,
  resetPasswordSchema,
  signInSchema,
  signUp,
  signUpSchema,
  verifyCredentials,
  verifyEmail,
  verifyEmailSchema,
} from '@/lib/identity'
import { accepted, refused } from '@/lib/kit'
import {
  forgetNextPath,
  hasChosenLocale,
  LOCALE_COOKIE,
  publicAction,
  rememberNextPath,
  rememberPreference,
  safePath,
  startSession,
} from '@/lib/web'
import { consentStatements } from '@/components/identity/consent-statements'
import { isLocale } from '@/i18n/locales'

export const signUpAction = publicAction(signUpSchema, async (input, { locale }) => {
  const result = await signUp({
    email: input.email,
    username: input.username,
    password: input.password,
    locale,
    acceptsMarketing: input.marketing,
    statements: consentStatements(locale),
  })
  if (!result.ok) return result
  if (input.next) await rememberNextPath(input.next)
  redirect('/verify')
})

export const signInAction = publicAction(signInSchema, async (input) => {
  const who = await verifyCredentials(input.login, input.password)
  if (!who.ok) return who
  const user = await startSession(who.value.userId)
  // Suspended in this very moment: as if it had been a moment earlier.
  if (!user) return refused('credentials_refused')
  if (isLocale(user.locale) && !(await hasChosenLocale())) await rememberPreference(LOCALE_COOKIE, user.locale)
  await forgetNextPath()
  redirect(safePath(input.next))
})

export const verifyEmailAction = publicAction(verifyEmailSchema, async ({ token }) => {
  const result = await verifyEmail(token)
  if (!result.ok) return result
  redirect('/sign-in?notice=verified')
})

export const requestVerificationAction = publicAction(emailOnlySchema, async ({ email }, { locale }) => {
  await requestVerification(email)
  return accepted({ message: translator(locale, 'verify')('againDone') })
})

export const requestPasswordResetAction = publicAction(emailOnlySchema, async ({ email }, { locale }) => {
  await requestPasswordReset(email)
  return accepted({ message: translator(locale, 'password')('sent') })
})

export const resetPasswordAction = publicAction(resetPasswordSchema, async (input) => {
  const result = await resetPassword(input)
  if (!result.ok) return result
  redirect('/sign-in?notice=reset')
})
