/** Told apart also by people who see few colours; the same in both themes. */
export const palette = [
    "#3f74dd", "#e0772c", "#2f9e6e", "#c2417c", "#8a5cd1", "#b58a00", "#1b9db5", "#d1495b",
    "#7a8696", "#7fa32b",
];

export function colorOf(index: number): string {
    return palette[index % palette.length] ?? "#3f74dd";
}
