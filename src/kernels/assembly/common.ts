// What both builds export beside their own 4-bit product.
export { pack_q4, pack_q8, unpack_q4_row } from "./pack";
export { matmul_q8 } from "./q8";
export { depthwise_relu6, stem_relu6, mean_pixels } from "./conv";
export { rms_norm, silu_mul, rope, attention } from "./transformer";
export { layer_norm, patches } from "./vision-transformer";
export { attend_image, pack_keys_values } from "./image-attention";
