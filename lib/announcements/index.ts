export { changeTimes, type ChangeTimesRefusal, withdrawAnnouncement } from './change-announcement'
export { deleteDraft } from './delete-draft'
export { sweepAnnouncementsJob, tellJob } from './jobs'
export { publishAnnouncement, publishDue, type PublishRefusal } from './publish-announcement'
export {
  type Announcement,
  type AnnouncementChange,
  type AnnouncementState,
  findAnnouncement,
  findPublished,
  listAnnouncements,
  listChanges,
  listPublished,
} from './queries'
export { editTexts, saveAnnouncement, type SaveAnnouncementRefusal } from './save-announcement'
export * from './schemas'
export { leadOf, splitText, type TextPart } from './split-text'
export { sweepAnnouncements, tellAnnouncement } from './tell-announcement'
export { countTouched, listMaintenance, type Maintenance, type Touched } from './touches'
export { type FeedEntry, writeFeed } from './write-feed'
export { isTimeZone, readLocal, writeLocal } from './zoned-time'
