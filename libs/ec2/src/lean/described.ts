/** What is read of a tag; the SDK's own type has the same and more. */
export interface DescribedTag {
  Key?: string | undefined;
  Value?: string | undefined;
}

/** What is read of an instance. */
export interface DescribedInstance {
  InstanceId?: string | undefined;
  State?: { Name?: string | undefined } | undefined;
  VpcId?: string | undefined;
  Platform?: string | undefined;
  Tags?: DescribedTag[] | undefined;
}

/** What is read of a reservation. */
export interface DescribedReservation {
  OwnerId?: string | undefined;
  Instances?: DescribedInstance[] | undefined;
}

/** What is read of an answer. */
export interface DescribedAnswer {
  Reservations?: DescribedReservation[] | undefined;
  NextToken?: string | undefined;
}
