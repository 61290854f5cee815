/** Sex, age, build and ancestry as weights of morph targets: a target's weight is the product of the factors in its name. */

import { ANCESTRIES, type Ancestry } from './assets.ts';

export interface Build {
  /** 0 female to 1 male */
  readonly gender: number;
  /** years, 1 to 90 */
  readonly age: number;
  /** 0 to 1, .5 is average */
  readonly weight: number;
  readonly muscle: number;
  /** shares, adding up to 1 */
  readonly ancestry: Readonly<Record<Ancestry, number>>;
}

type Factors = readonly (readonly [name: string, share: number])[];

/** Years at which the anchors of the age targets stand: baby 1, child about 10, young 25, old 90. */
export function ageFactors(years: number): Factors {
  const a = years < 25 ? (years - 1) / 48 : 0.5 + (years - 25) / 130;
  if (a >= 0.5) {
    return [
      ['young', 2 - 2 * a],
      ['old', 2 * a - 1],
    ];
  }
  const young = Math.max(0, (a - 0.1875) / 0.3125);
  return [
    ['baby', Math.max(0, 1 - a / 0.1875)],
    ['child', Math.max(0, Math.min(1, a / 0.1875) - young)],
    ['young', young],
  ];
}

function three(what: string, x: number): Factors {
  const [least, most] = [Math.max(0, 1 - 2 * x), Math.max(0, 2 * x - 1)];
  return [
    [`min${what}`, least],
    [`average${what}`, 1 - least - most],
    [`max${what}`, most],
  ];
}

/** Adds the weights of the ethnic and of the universal targets; height and proportions stay average. */
export function addMacro(build: Build, add: (target: string, weight: number) => void): void {
  const genders: Factors = [
    ['female', 1 - build.gender],
    ['male', build.gender],
  ];
  for (const [gender, ofGender] of genders) {
    for (const [age, ofAge] of ageFactors(build.age)) {
      for (const ancestry of ANCESTRIES)
        add(`macrodetails/${ancestry}-${gender}-${age}`, ofGender * ofAge * build.ancestry[ancestry]);
      for (const [muscle, ofMuscle] of three('muscle', build.muscle)) {
        for (const [weight, ofWeight] of three('weight', build.weight))
          add(
            `macrodetails/universal-${gender}-${age}-${muscle}-${weight}`,
            ofGender * ofAge * ofMuscle * ofWeight,
          );
      }
    }
  }
}
