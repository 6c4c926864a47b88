export { type AudienceCount, countAudience, maskAddress } from './audience'
export { chooseMeasuring, chooseMeasuringByLink } from './choose-measuring'
export {
  choosePreferences,
  chooseTelegramByLink,
  chooseTelegramTopics,
  chooseTopics,
  confirmTopics,
  recordSignUpChoice,
  unsubscribe,
  withdrawFor,
} from './choose-topics'
export { runCampaignsJob } from './jobs'
export {
  campaignImageUrl,
  campaignLinkUrl,
  confirmToken,
  isWayOut,
  linkToken,
  openToken,
  preferencesToken,
  preferencesUrl,
  readPreferencesToken,
  unsubscribeUrl,
} from './links'
export { type Inline, type Line, listLinks, parseBody, type Piece, piecesOf } from './markup'
export { followLink, noteOpening, type Reading } from './measure-mail'
export {
  type BatchTransport,
  type CampaignMail,
  type CampaignRenderer,
  type CampaignText,
  linkPlace,
  type Measured,
  personalise,
  PLACES,
} from './message'
export { moveCampaign, scheduleCampaign, sendCampaignTest, startCampaign } from './move-campaign'
export {
  type CampaignFigures,
  type CampaignMailView,
  type CampaignRow,
  type ChoiceProof,
  type ChoiceView,
  findCampaign,
  findMeasuring,
  findPreferences,
  findTelegramChoices,
  listCampaignMails,
  listCampaigns,
  listChoices,
  type LinkFigure,
  listFigures,
  listLinkFigures,
  listRecipients,
  type MeasuringView,
  type RecipientView,
} from './queries'
export { marketingRules } from './rules'
export { runCampaigns, type RunOptions } from './run-campaigns'
export { saveCampaign } from './save-campaign'
export * from './schemas'
export { CAMPAIGN_STATES, type CampaignState, RECIPIENT_STATES, type RecipientState } from './states'
export { campaignMails } from './take-mail-event'
export { readTelegram, TELEGRAM_PER_SECOND, writeTelegram } from './telegram'
export { measuringStatement, sayTopic, signUpStatement, statementOf } from './topics'
