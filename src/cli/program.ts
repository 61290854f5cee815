/** The command `portraitgan` with its sub-commands. */

import { Command } from 'commander';
import { bodyCommand } from './body.ts';
import { convertCommand } from './convert.ts';
import { dashboardCommand } from './dashboard.ts';
import { datasetCommand } from './dataset.ts';
import { doctorCommand } from './doctor.ts';
import { exportCommand } from './export.ts';
import { forwardCommand } from './forward.ts';
import { generateCommand } from './generate.ts';
import { inspectCommand } from './inspect.ts';
import { meshCommand } from './mesh.ts';
import { presetsCommand } from './presets.ts';
import { packageVersion } from './program-version.ts';
import { studioCommand } from './studio.ts';
import { teachCommand } from './teach.ts';
import { trainCommand } from './train.ts';
import { trainStepCommand } from './train-step.ts';
import { videoCommand } from './video.ts';

/** Builds the command; errors of usage are thrown, not exited on. */
export function portraitganProgram(): Command {
  const program = new Command('portraitgan')
    .description('3D head-and-shoulders portraits that turn through 360 degrees.')
    .version(packageVersion());
  const commands = [
    generateCommand(),
    forwardCommand(),
    trainCommand(),
    teachCommand(),
    trainStepCommand(),
    meshCommand(),
    videoCommand(),
    bodyCommand(),
    datasetCommand(),
    dashboardCommand(),
    studioCommand(),
    inspectCommand(),
    convertCommand(),
    exportCommand(),
    presetsCommand(),
    doctorCommand(),
  ];
  for (const command of commands) {
    command.option('--debug', 'prints the stack of an error');
    command.allowExcessArguments(false).exitOverride();
    program.addCommand(command);
  }
  return program.showHelpAfterError('(add --help for what there is)').exitOverride();
}
