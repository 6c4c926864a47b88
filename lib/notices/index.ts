export type { Channel, Message, SendOutcome } from './channels/channel'
export { TELEGRAM_API_URL } from './channels/telegram'
export { dayOfLastDigest } from './digest-day'
export {
  receiveTelegramUpdate,
  startTelegramLink,
  type TelegramReply,
  unlinkGoneChat,
  unlinkTelegram,
} from './link-telegram'
export { openTelegramSender } from './open-sender'
export { countUnread, listNotices, markRead, type NoticeRow, UNREAD_SHOWN_MAX } from './queries'
export { removeOldNotices, removeOldNoticesJob } from './remove-old'
export { NOTICE_TEMPLATES, type NoticeTemplate, type SaidNotice, sayNotice } from './say-notice'
export * from './schemas'
export { sendDigests, sendDigestsJob } from './send-digests'
export { sendChannelMessage, sendMessageJob } from './send-message'
export {
  getNoticeSettings,
  listNextChargeWishes,
  listTypesInUse,
  type NoticeSettingsView,
  saveNoticeSettings,
  type TypeInUse,
} from './switches'
export {
  findTelegramBot,
  getTelegramForAdmin,
  saveTelegram,
  type TelegramTestResult,
  type TelegramView,
  testTelegram,
} from './telegram-account'
export { tellLowBalances, tellLowBalancesJob } from './tell-low-balances'
