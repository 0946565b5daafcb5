import { Distribution } from "cdktf-kubernetes-pki";

/** Numbers of the shops. A number never changes its shop: it is in the name of everything. */
export const SHOPS = Array.from({ length: 20 }, (_, i) => i + 1);

/** A K3s cluster in a shop. */
export function shop(number: number) {
  const name = `shop-${String(number).padStart(2, "0")}`;
  return {
    distribution: Distribution.K3S,
    cluster: {
      name,
      endpoint: `api.${name}.edge.example.com:6443`,
      serviceCidrs: ["10.43.0.0/16"],
      controlPlanes: [{ name: `${name}-server`, addresses: [`10.${100 + number}.0.10`] }],
    },
  };
}
