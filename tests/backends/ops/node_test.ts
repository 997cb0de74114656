/**
 * Branches of every kind summed in a node, whose sum a second node takes twice, on every device: the
 * gradients that branches get here are those a backend may hand on unevaluated.
 */

import { BRANCH_DEVICES, onEachDevice } from "../devices.ts";
import { checkCases, checkReference } from "../op_case.ts";
import { NODE_CASES, nodeCase, normal, reduction } from "./node_cases.ts";

onEachDevice((test) => {
  test("branches of every kind get the gradients of nodes", (on) => checkCases(on, NODE_CASES));
}, BRANCH_DEVICES);

Deno.test("naive nodes have the gradients that finite differences give", () => {
  checkReference(
    nodeCase({ x: [2, 5, 4, 3], activation: "relu", branches: normal(3), values: "smooth" }),
  );
  checkReference(
    nodeCase({ x: [2, 4, 6, 2], activation: "relu", branches: reduction(2), values: "smooth" }),
  );
});
