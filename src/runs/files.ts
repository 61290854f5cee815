/**
 * Every change that saving makes to a disk, as one small interface.
 *
 * Tests put their own in its place and stop it at each operation in turn; what a crash leaves behind is then what
 * a resume has to cope with. Reading is not part of it.
 */

import { type FileHandle, open, rename, rm } from 'node:fs/promises';

/** A file being written. */
export interface FileWriter {
  /** Writes all bytes at a position. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Returns when everything written is on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** What saving does to a disk; every call may fail. */
export interface FileOperations {
  /** Opens a file for writing, empty whatever it was. */
  create(path: string): Promise<FileWriter>;
  /** Gives a file another name, in place of whatever had it. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; one that is not there is no error. */
  remove(path: string): Promise<void>;
  /** Returns when the names of a folder are on the disk. */
  syncFolder(path: string): Promise<void>;
}

/** The disk itself. */
export const diskFiles: FileOperations = {
  async create(path) {
    const file = await open(path, 'w');
    return {
      async write(bytes, position) {
        for (let done = 0; done < bytes.length; )
          done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
      },
      sync: () => file.sync(),
      close: () => file.close(),
    };
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  async syncFolder(path) {
    // Windows neither opens folders nor needs to: its renames are in the journal.
    if (process.platform === 'win32') return;
    const folder: FileHandle = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
};
