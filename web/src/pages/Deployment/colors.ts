/** A revision's colour in bars, dark enough to carry white letters; charts use the palette's. */
export function trafficColor(number: number): string {
    const colors = ["#2f5fc0", "#a4521a", "#1d7a52", "#a02f69", "#6f45b3"];
    return colors[number % colors.length] ?? "#2f5fc0";
}
