export {
  accountInputName,
  type AccountDefinition,
  type AccountField,
  type AccountFieldView,
  type AccountGap,
  type AccountProblem,
  type AccountValues,
  defineAccounts,
  findMalformed,
  findMissing,
  FORGOTTEN,
  hasForm,
  namesOfChanges,
  NO_ACCOUNT,
} from './define-accounts'
export { defineSettings, type Settings } from './define-settings'
export { openSecret, sealSecret, type SecretPlace } from './seal'
