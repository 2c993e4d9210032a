# Builds the wheel in one stage and installs it, with locked versions, into a second one without build tools.
FROM python:3.12-slim AS build
WORKDIR /source
COPY requirements/dev.txt requirements/dev.txt
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements/dev.txt
COPY . .
RUN python -m hatchling build -t wheel -d /wheels

FROM python:3.12-slim
LABEL org.opencontainers.image.title="dicom-prearchive" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 8104 prearc \
    && useradd --uid 8104 --gid prearc --no-create-home --shell /usr/sbin/nologin prearc \
    && install --directory --owner=prearc --group=prearc --mode=0700 /site
COPY requirements/runtime.txt /tmp/runtime.txt
RUN pip install --no-cache-dir --no-deps --require-hashes -r /tmp/runtime.txt && rm /tmp/runtime.txt
COPY --from=build /wheels /tmp/wheels
RUN pip install --no-cache-dir --no-deps /tmp/wheels/*.whl && rm -rf /tmp/wheels
COPY deploy/container.sh deploy/health.py /usr/local/lib/prearc/

# Inside a container loopback would let nobody in; who may send is said by the published port and by `allow`.
ENV PREARC_CONFIG=/site \
    PREARC_RECEIVERS__0__HOST=0.0.0.0 \
    PYTHONUNBUFFERED=1
USER prearc
VOLUME /site
EXPOSE 8104
STOPSIGNAL SIGTERM
# A C-ECHO to each receiver that is switched on.
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 \
    CMD ["python", "/usr/local/lib/prearc/health.py"]
ENTRYPOINT ["sh", "/usr/local/lib/prearc/container.sh"]
CMD ["serve"]
