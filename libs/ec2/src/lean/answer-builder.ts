import type { DescribedAnswer, DescribedInstance, DescribedReservation, DescribedTag } from './described.ts';
import type { PlaceId } from './places.ts';

/** Puts an answer together from the elements that are read of it, in the order of the document. */
export class AnswerBuilder {
  readonly answer: DescribedAnswer = {};
  #reservation: DescribedReservation = {};
  #instance: DescribedInstance = {};
  #tag: DescribedTag = {};

  /** An element begins. */
  begin(id: PlaceId): void {
    switch (id) {
      case 'reservations':
        this.answer.Reservations = [];
        break;
      case 'reservation':
        this.#reservation = {};
        this.answer.Reservations?.push(this.#reservation);
        break;
      case 'instances':
        this.#reservation.Instances = [];
        break;
      case 'instance':
        this.#instance = {};
        this.#reservation.Instances?.push(this.#instance);
        break;
      case 'state':
        this.#instance.State = {};
        break;
      case 'tags':
        this.#instance.Tags = [];
        break;
      case 'tag':
        this.#tag = {};
        this.#instance.Tags?.push(this.#tag);
        break;
      default:
    }
  }

  /** An element with text has ended. */
  text(id: PlaceId, text: string): void {
    switch (id) {
      case 'key':
        this.#tag.Key = text;
        break;
      case 'value':
        this.#tag.Value = text;
        break;
      case 'instanceId':
        this.#instance.InstanceId = text;
        break;
      case 'vpcId':
        this.#instance.VpcId = text;
        break;
      case 'platform':
        this.#instance.Platform = text;
        break;
      case 'stateName':
        if (this.#instance.State !== undefined) this.#instance.State.Name = text;
        break;
      case 'ownerId':
        this.#reservation.OwnerId = text;
        break;
      case 'nextToken':
        this.answer.NextToken = text;
        break;
      default:
    }
  }
}
