/** Settings of a run as options of a command: `--r1-gamma-seg` for `r1GammaSeg`, under the headings of their groups. */

import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { FormatError, UsageError } from '../errors.ts';
import type { Json } from '../portrait/config.ts';
import { expectedOf, type Setting, type SettingGroup, type Settings } from '../training/settings.ts';
import { parseStrictJson } from '../weights/json-strict.ts';
import { requireFile } from './input.ts';
import { numberOption, type Parser, wholeOption, wordOption } from './parse.ts';

/** In the order in which the help shows them. */
const HEADINGS: Readonly<Record<SettingGroup, string>> = {
  run: 'Options:',
  data: 'Data:',
  network: 'Network (where it is not to be the preset’s):',
  optimiser: 'Optimiser:',
  losses: 'Losses:',
  fades: 'Fades, in thousands of images:',
  intervals: 'Intervals:',
};

/** The word for null. */
const NONE = 'none';

/** The option of a setting. */
export function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Adds an option for every setting but `command`, without defaults: what is not given stays unsaid. */
export function settingOptions<T>(command: Command, table: Settings<T>): Command {
  const entries = Object.entries<Setting>(table).filter(([name]) => name !== 'command');
  for (const [group, heading] of Object.entries(HEADINGS)) {
    for (const [name, setting] of entries.filter(([, { group: own }]) => own === group))
      for (const option of optionsOf(name, setting)) command.addOption(option.helpGroup(heading));
  }
  return command;
}

function optionsOf(name: string, setting: Setting): Option[] {
  const flag = flagOf(name);
  if (setting.kind === 'switch')
    return [new Option(flag, about(setting)), new Option(flag.replace('--', '--no-')).hideHelp()];
  return [
    new Option(`${flag} <${placeholder(name, setting)}>`, about(setting)).argParser(parserOf(flag, setting)),
  ];
}

const PATHS = ['data', 'masks', 'init'];

function placeholder(name: string, { kind }: Setting): string {
  if (kind === 'text') return PATHS.includes(name) ? 'path' : 'text';
  return { number: 'n', whole: 'n', word: 'word', numbers: 'name=n,...', switch: '' }[kind];
}

/** Texts of the help. Defaults depend on other settings: a dry run prints them. */
function about(setting: Setting): string {
  const words = 'words' in setting ? `: ${[...(setting.words ?? [])].join(', ')}` : '';
  const number = setting.kind === 'number' && words !== '' ? ', or a number between' : '';
  const off = setting.kind === 'switch' ? ' (or --no-...)' : '';
  const none = setting.none === undefined ? '' : ` (${NONE}: ${setting.none})`;
  return `${setting.about}${words}${number}${off}${none}`;
}

/** The text of one option to its value, once. The word for null stays a word: the parser of options keeps no null. */
function parserOf(flag: string, setting: Setting): Parser<unknown> {
  const parse = plainParser(flag, setting);
  return setting.none === undefined ? parse : (text) => (text === NONE ? text : parse(text));
}

function plainParser(flag: string, setting: Setting): Parser<unknown> {
  switch (setting.kind) {
    case 'number':
    case 'whole': {
      const { kind, min, max, words = [] } = setting;
      const number = (kind === 'whole' ? wholeOption : numberOption)(flag, min, max);
      return (text) => words.find((word) => word === text) ?? number(text);
    }
    case 'word':
      return wordOption(flag, setting.words);
    case 'numbers':
      return numbersByName(flag, setting.names);
    default:
      return (text) => {
        if (text === '') throw new UsageError(`${flag} is empty; expected ${expectedOf(setting)}`);
        return text;
      };
  }
}

/** `name=number` pairs, each name once; nothing between the commas for none at all. */
function numbersByName(flag: string, names?: readonly string[]): Parser<Readonly<Record<string, number>>> {
  const number = numberOption(flag, 0);
  return (text) => {
    const values = new Map<string, number>();
    for (const part of text === '' ? [] : text.split(',')) {
      const [, name, value] = /^\s*([^=\s]+)\s*=\s*(\S+)\s*$/.exec(part) ?? [];
      if (name === undefined || value === undefined)
        throw new UsageError(`${flag}: "${part}" is not of the form name=number`);
      if (names?.includes(name) === false)
        throw new UsageError(`${flag} names "${name}"; there are ${names.join(', ')}`);
      if (values.has(name)) throw new UsageError(`${flag} names "${name}" twice`);
      values.set(name, number(value));
    }
    return Object.fromEntries(values);
  };
}

/** The settings among the values of options. */
export function givenSettings<T>(table: Settings<T>, flags: Readonly<Record<string, unknown>>): Partial<T> {
  const entries = Object.entries<Setting>(table)
    .filter(([name]) => flags[name] !== undefined)
    .map(([name, { none }]) => [name, none !== undefined && flags[name] === NONE ? null : flags[name]]);
  // Each was parsed by the option of its name.
  return Object.fromEntries(entries) as Partial<T>;
}

/** A file of settings. @throws UsageError when it is missing or no JSON. */
export function readSettingsFile(file: string): Json {
  requireFile(file, '--config');
  try {
    return parseStrictJson(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof FormatError) throw new UsageError(`"${file}": ${error.message}`);
    throw error;
  }
}
