# Conversion on a CPU, without TensorFlow:
#   docker build -t keras-dtl .
#   docker run --rm -v "$PWD:/work" keras-dtl convert exported/dann photos/ out/
FROM python:3.12-slim
COPY setup.cfg setup.py README.md LICENSE /source/
COPY keras_dtl /source/keras_dtl
COPY exported/starry-night /source/exported/starry-night
RUN pip install --no-cache-dir "/source[cpu]" && rm -r /source
WORKDIR /work
ENTRYPOINT ["keras-dtl"]
CMD ["--help"]
