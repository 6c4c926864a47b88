export { type AudienceCount, countAudience, maskAddress } from './audience'
export {
  choosePreferences,
  chooseTopics,
  confirmTopics,
  recordSignUpChoice,
  unsubscribe,
  withdrawFor,
} from './choose-topics'
export { runCampaignsJob } from './jobs'
export { confirmToken, preferencesToken, preferencesUrl, readPreferencesToken, unsubscribeUrl } from './links'
export { type Inline, type Line, parseBody, type Piece, piecesOf } from './markup'
export { type CampaignMail, type CampaignRenderer, type CampaignText, personalise, PLACES } from './message'
export { moveCampaign, scheduleCampaign, sendCampaignTest, startCampaign } from './move-campaign'
export {
  type CampaignFigures,
  type CampaignMailView,
  type CampaignRow,
  type ChoiceProof,
  type ChoiceView,
  findCampaign,
  findPreferences,
  listCampaignMails,
  listCampaigns,
  listChoices,
  listFigures,
  listRecipients,
  type RecipientView,
} from './queries'
export { marketingRules } from './rules'
export { runCampaigns, type RunOptions } from './run-campaigns'
export { saveCampaign } from './save-campaign'
export * from './schemas'
export { CAMPAIGN_STATES, type CampaignState, RECIPIENT_STATES, type RecipientState } from './states'
export { campaignMails } from './take-mail-event'
export { sayTopic, signUpStatement, statementOf } from './topics'
