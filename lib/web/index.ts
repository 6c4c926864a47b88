export { type ActionState, IDLE } from './action-state'
export { adminAction, type FormAction, publicAction, userAction } from './actions'
export { authRoute } from './auth-route'
export { addressOf } from './address-of'
export { type KnownRefusal, sayRefusal } from './errors'
export { requireAdmin, requireUser } from './guards'
export { forgetNextPath, rememberedNextPath, rememberNextPath } from './next-path'
export {
  currentLocale,
  currentTheme,
  hasChosenLocale,
  LOCALE_COOKIE,
  rememberPreference,
  THEME_COOKIE,
  THEMES,
  TIME_ZONE_COOKIE,
} from './preferences'
export { isPrefetch } from './prefetch'
export { adminRoute, publicRoute, type RouteInput, userRoute, webhookRoute } from './routes'
export { forgetReferral, rememberedReferral, rememberReferral } from './referral-touch'
export { safePath } from './safe-path'
export { currentUser, endSession, startSession } from './session'
export { visitOf } from './visit'
