export class EventFiles {
  constructor(_p: string) {}
  update(_e: boolean) {
    return Promise.resolve();
  }
}
