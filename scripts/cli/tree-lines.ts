/** Draws a tree in lines of text. */

export interface TreeNode {
  readonly text: string;
  readonly children?: readonly TreeNode[];
}

/** The root's text, and below it every node on a line of its own. */
export function treeLines({ text, children = [] }: TreeNode): readonly string[] {
  return [text, ...children.flatMap((child, i) => branchLines(child, i === children.length - 1))];
}

function branchLines(node: TreeNode, isLast: boolean): readonly string[] {
  const [first = "", ...rest] = treeLines(node);
  const below = isLast ? "   " : "│  ";
  return [(isLast ? "└─ " : "├─ ") + first, ...rest.map((line) => below + line)];
}
