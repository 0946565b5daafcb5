import { Balancer, Place } from "./balancer";

// A process of its own: whoever makes many calls in another one does not hold up those of others.
const [port, ...places] = process.argv.slice(2);
void Balancer.start(
  Number(port),
  places.map((text): Place => JSON.parse(text) as Place),
);
