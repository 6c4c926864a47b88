export { contentTag, isKnownTag } from './content-tag'
export {
  FEEDS_MAX,
  type FeedKind,
  type FeedView,
  listFeeds,
  type MadeFeed,
  makeFeed,
  openFeed,
  renameFeed,
  revokeFeed,
  rotateFeed,
} from './feeds'
export { BUILT_IN_FORMATS, type BuiltInFormat, CONTENT_TYPES, isBuiltIn, writeAll } from './formats'
export { type ExportPreview, previewExport, sampleOf } from './preview-export'
export { countProxies, EXPORT_PAGE, type ExportScope, listChoices, readProxies } from './read-proxies'
export {
  type ExportFilter,
  exportFilterSchema,
  feedIdSchema,
  formatChoiceSchema,
  makeCalendarSchema,
  makeFeedSchema,
  previewSchema,
  previewTemplateSchema,
  removeTemplateSchema,
  renameFeedSchema,
  saveTemplateSchema,
} from './schemas'
export {
  compileTemplate,
  type ExportedProxy,
  TEMPLATE_FIELDS,
  TEMPLATE_KINDS,
  TEMPLATE_LENGTH_MAX,
  type TemplateKind,
  type Writer,
} from './template'
export {
  type ExportTemplateView,
  findWriter,
  listTemplates,
  removeTemplate,
  saveTemplate,
  TEMPLATES_MAX,
} from './templates'
export { writeExport } from './write-export'
export {
  dayOf,
  monthsOf,
  planDays,
  PLANNER_DAYS,
  type PlannedDay,
  type PlannedDays,
  type PlannedItem,
} from './plan-days'
export { planRenewals, type RenewalPlan } from './plan-renewals'
export { type CalendarEvent, writeCalendar } from './write-calendar'
