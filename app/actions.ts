'use server'

import { redirect } from 'next/navigation'
import { z } from 'zod'
import { LOCALES } from '@/i18n/locales'
import { accepted } from '@/lib/kit'
import { endSession, LOCALE_COOKIE, publicAction, rememberPreference, THEME_COOKIE, THEMES } from '@/lib/web'

export const setLocale = publicAction(z.object({ locale: z.enum(LOCALES) }), async ({ locale }) => {
  await rememberPreference(LOCALE_COOKIE, locale)
  return accepted(null)
})

export const setTheme = publicAction(z.object({ theme: z.enum(THEMES) }), async ({ theme }) => {
  await rememberPreference(THEME_COOKIE, theme)
  return accepted(null)
})

/** For anybody, because a session that has just ended elsewhere must be able to be left too. */
export const signOut = publicAction(z.object({}), async () => {
  await endSession()
  redirect('/sign-in?notice=signed-out')
})
