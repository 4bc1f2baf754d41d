// This program: the exported site's own trainer, on MNIST.

export async function prepare(model) {
  const [{ openGpu }, { Trainer }, { readJson, readSplit }] = await Promise.all(
    ['gpu', 'trainer', 'files'].map((name) => import(`/${model}/${name}.js`)),
  );
  const gpu = await openGpu();
  const { models: [entry], data } = await readJson('site.json');
  const { learn } = await readJson(entry.programs[gpu.kernels]);
  const [train, test] = await Promise.all([data.train, data.test].map(readSplit));
  const config = { ...entry.metadata.training, epochs: 1000 };
  const trainer = await Trainer.open(gpu, learn, config, train, test, entry.metadata.classes.length);
  // The first step takes the schedule to the device.
  await trainer.advance();
  const metrics = learn.tensors[learn.ports.train.metrics];
  return {
    step: () => trainer.session.run('train_step'),
    finish: () => trainer.session.read(metrics),
  };
}
