export { FileAdapter, type FileAdapterOptions } from './adapter.ts'
export { FileCoordinationStore } from './coordination-store.ts'
export { FileJobQueue } from './job-queue.ts'
export type {
  FileCoordinationStoreOptions,
  FileDurability,
  FileJobQueueOptions,
  FileRunStoreOptions,
} from './options.ts'
export { FileRunStore } from './run-store.ts'
