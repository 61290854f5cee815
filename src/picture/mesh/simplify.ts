/** Fewer triangles for the same shape, by quadric error metrics: meshoptimizer, in WebAssembly. */

import { MeshoptSimplifier } from 'meshoptimizer/simplifier';
import { compactMesh, type Mesh } from './mesh.ts';

/** Removes edges until about `ratio` of the triangles is left; topology stays as it is, which may end it earlier. */
export async function simplifyMesh(mesh: Mesh, ratio: number): Promise<Mesh> {
  await MeshoptSimplifier.ready;
  const target = Math.max(4, Math.round((mesh.indices.length / 3) * ratio)) * 3;
  const [indices] = MeshoptSimplifier.simplify(mesh.indices, mesh.positions, 3, target, 1);
  return compactMesh({ positions: mesh.positions, indices });
}
