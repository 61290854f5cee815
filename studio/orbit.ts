/** Where the camera is: yaw and pitch, changed by dragging, by keys, and by time. */

/** Degrees; yaw 0 is the front, positive shows the person's left side, pitch is positive from above. */
export interface Orbit {
  readonly yaw: number;
  readonly pitch: number;
}

export const FRONT: Orbit = { yaw: 0, pitch: 0 };

/** From farther above or below the model has hardly seen anybody. */
const STEEPEST = 50;
/** A key turns so far; with shift, three times as far. */
const KEY_DEGREES = 5;
/** Dragging across the whole picture turns so far. */
const DRAG_DEGREES = 180;
/** One turn takes twelve seconds. */
const TURN_DEGREES_PER_MS = 360 / 12_000;
/** Where frames take long, the turn takes longer rather than jump. */
const TURN_MOST_DEGREES = 10;

/** An orbit moved by so many degrees, its yaw within -180..180. */
export function moved({ yaw, pitch }: Orbit, by: Orbit): Orbit {
  const turned = (((yaw + by.yaw + 180) % 360) + 360) % 360;
  return { yaw: turned - 180, pitch: Math.min(STEEPEST, Math.max(-STEEPEST, pitch + by.pitch)) };
}

/** An orbit turned on after so many milliseconds. */
export function turned(orbit: Orbit, ms: number): Orbit {
  return moved(orbit, { yaw: Math.min(TURN_MOST_DEGREES, ms * TURN_DEGREES_PER_MS), pitch: 0 });
}

/** Tells of every movement that somebody makes on the element. */
export function watchOrbit(element: HTMLElement, move: (by: Orbit | 'front') => void): void {
  const degrees = (pixels: number): number => (pixels / element.clientWidth) * DRAG_DEGREES;
  element.addEventListener('pointerdown', ({ pointerId, button }) => {
    if (button === 0) element.setPointerCapture(pointerId);
  });
  // The near side follows the pointer.
  element.addEventListener('pointermove', ({ pointerId, movementX, movementY }) => {
    if (!element.hasPointerCapture(pointerId)) return;
    move({ yaw: -degrees(movementX), pitch: degrees(movementY) });
  });
  element.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const by = movementOf(event.key, event.shiftKey ? 3 * KEY_DEGREES : KEY_DEGREES);
    if (by === undefined) return;
    event.preventDefault();
    move(by);
  });
}

function movementOf(key: string, step: number): Orbit | 'front' | undefined {
  switch (key) {
    case 'ArrowLeft':
      return { yaw: step, pitch: 0 };
    case 'ArrowRight':
      return { yaw: -step, pitch: 0 };
    case 'ArrowUp':
      return { yaw: 0, pitch: -step };
    case 'ArrowDown':
      return { yaw: 0, pitch: step };
    case 'Home':
      return 'front';
    default:
      return undefined;
  }
}
