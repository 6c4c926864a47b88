export { type ActionState, IDLE } from './action-state'
export { adminAction, type Done, type FormAction, publicAction, userAction } from './actions'
export { authOptions, authRoute } from './auth-options'
export { REFUSALS, type RefusalCode, sayRefusal } from './errors'
export { requireAdmin, requireUser } from './guards'
export { forgetNextPath, rememberedNextPath, rememberNextPath } from './next-path'
export {
  currentLocale,
  currentTheme,
  hasChosenLocale,
  LOCALE_COOKIE,
  rememberPreference,
  type Theme,
  THEME_COOKIE,
  THEMES,
  TIME_ZONE_COOKIE,
} from './preferences'
export { adminRoute, publicRoute, userRoute, webhookRoute } from './routes'
export { safePath } from './safe-path'
export { currentSession, currentUser, endSession, startSession } from './session'
